"""Queries read and log. They cannot change an aggregate, with or without an event."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time

import pytest
import pytest_asyncio

import sessions.app
from services.kernel import Command
from services.programmes import Programme
from services.runtime.service import Service, running
from services.settings import Settings
from services.store.commands import ChangedByQuery
from services.store.work import Work
from sessions.domain import Meeting, Roster, schedule
from sessions.queries import open_roll

FIRST = date(2026, 3, 5)
HELD = datetime(2026, 3, 5, 20, tzinfo=UTC)


async def with_a_meeting(service: Service) -> str:
    """A group of one member with one meeting; returns the id of the meeting."""
    roster, programme = Roster(id="g", slot="thu-evening", place="p", facilitator="f"), rules(service).id
    roster.seat("ada", FIRST)
    kept = {"programme": programme, "version": 1, "sequences": {}, "state": roster.model_dump(mode="json")}
    await service.store["roster"].insert_one({"_id": f"{programme}/g", **kept})

    async def form(_: Command, work: Work) -> str:
        (meeting,) = schedule(roster, [FIRST], time(18), work.rules.zone)
        work.add(meeting)
        return meeting.id

    return str(await service.do(form, Command(), programme))


async def replace_the_facilitator(work: Work) -> None:
    roster = await work.peek(Roster, "g")
    assert roster is not None
    roster.facilitator = "another"


async def call_the_roll(work: Work, session: str) -> None:
    meeting = await work.peek(Meeting, session)
    assert meeting is not None
    meeting.call_roll(["ada"], {"ada"}, HELD)


@pytest_asyncio.fixture
async def service(own: Settings) -> AsyncIterator[Service]:
    async with running(sessions.app.build(own), ["api"]) as one:
        yield one


def rules(service: Service) -> Programme:
    return next(iter(service.rules.values()))


async def test_a_query_that_changes_an_aggregate_is_a_defect_and_stores_nothing(service: Service) -> None:
    session = await with_a_meeting(service)
    with pytest.raises(ChangedByQuery, match="replace_the_facilitator"):
        await service.commanding.query(replace_the_facilitator, rules(service))
    with pytest.raises(ChangedByQuery, match="call_the_roll"):
        await service.commanding.query(call_the_roll, rules(service), session)
    roll = await service.commanding.query(open_roll, rules(service), session, "f")
    assert (roll.held, roll.members, roll.version) == (False, ["ada"], 1)
    assert await service.store["outbox"].count_documents({}) == 1


async def test_an_opened_roll_is_logged_and_guards_nothing(service: Service) -> None:
    session = await with_a_meeting(service)
    await service.commanding.on_behalf_of("olga", "operator").query(open_roll, rules(service), session, None)
    (access,) = await service.store["access"].find({}).to_list(None)
    told = (access["person"], access["who"], access["role"], access["what"])
    assert told == ("ada", "olga", "operator", f"session {session}")
    stored = await service.store["session"].find({}).to_list(None)
    assert [each.get("guard") for each in stored] == [None]
