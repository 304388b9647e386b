"""The number of MongoDB transactions that events cost analytics, whose five projections have one consumer."""

from datetime import date
from typing import Any

import pytest
from pymongo import monitoring

import analytics.app
from services.contracts import TOPICS, Event, EventData, encode
from services.contracts.enrolment import WorkerReferred
from services.contracts.grouping import GroupFormed, Kind
from services.contracts.sessions import SurveyInvited
from services.contracts.topics import source_of
from services.events.delivery.state import Record
from services.events.inbox.batches import Batches
from services.events.inbox.projections import consumer_of
from services.runtime.service import running
from services.settings import Settings
from services.store.clock import now_utc
from services.store.collections import prepare
from tests.helpers.own_engines import PROGRAMME, event, subjects, tell
from tests.helpers.waiting import eventually


class Commits(monitoring.CommandListener):
    """Counts the transactions that the clients commit which were made with it."""

    def __init__(self) -> None:
        self.count = 0

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Do nothing: a commit whose result is unknown begins again."""

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        self.count += event.command_name == "commitTransaction"

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Do nothing: an aborted transaction costs no effect."""


@pytest.fixture(scope="module")
def commits() -> Commits:
    """Counts from now on, for clients that are made later."""
    listener = Commits()
    monitoring.register(listener)
    return listener


def record(data: EventData, subject: str) -> Record:
    at = now_utc()
    told: Event[Any] = Event(f"{subject}-1", source_of(PROGRAMME, data.topic), data.type, subject, at, at, 1, data)
    return Record(data.topic, 0, 0, subject.encode(), encode(told))


async def test_a_batch_of_events_of_three_projections_is_one_transaction(settings: Settings, commits: Commits) -> None:
    service, (worker, group, survey) = analytics.app.build(settings), subjects(3)
    models = service.read_models
    await prepare(service.store, [])
    await models.prepare(1)
    batches = Batches(consumer_of(1), service.store, models.starting(1, service.holder), service.metrics, 0)
    formed = GroupFormed(
        kind=Kind.HOMOGENEOUS, slot="tue-evening", place="casa", facilitator="anna", first=date(2026, 3, 3)
    )
    invited = SurveyInvited(worker=worker, instrument="who5", wave="T0", due=date(2026, 4, 1))
    before = commits.count
    await batches.take([record(WorkerReferred(partner="afol"), worker), record(formed, group), record(invited, survey)])
    assert commits.count - before == 1
    found = {name: [each async for each in models.rows(name, {"programme": PROGRAMME})] for name in models.projections}
    assert {name: len(rows) for name, rows in found.items()} == {
        "path": 1,
        "meetings": 1,
        "places": 0,
        "attendance": 0,
        "scores": 1,
        "paths": 0,
        "complaints": 0,
    }
    await service.stop()


async def test_an_event_costs_analytics_one_transaction_of_its_projections(
    settings: Settings, commits: Commits
) -> None:
    """The gate, which reads the same topic, has one for the first event of a partition, and moves past the others without."""
    service, seen = analytics.app.build(settings), subjects(20)
    await service.bus.prepare([TOPICS["ama.enrolment"], TOPICS["ama.grouping"]])

    async def level() -> bool:
        return all([await each.caught_up() for each in service.runners.values()])

    async with running(service, ["consume"]):
        await eventually(level)
        before = commits.count
        for each in seen:
            await tell(service.bus, event(each, 1))
            await eventually(level)
        partitions = TOPICS["ama.enrolment"].partitions
        assert len(seen) <= commits.count - before <= len(seen) + partitions
        assert len([each async for each in service.read_models.rows("path", {"programme": PROGRAMME})]) >= len(seen)
