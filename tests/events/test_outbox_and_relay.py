"""Recorded events are stored and published: in commit order, none skipped, and in order within each subject."""

import asyncio
from typing import Any

import pytest

from enrolment import commands as do
from enrolment.domain import Worker
from services.contracts.enrolment import Purpose, WorkerProfiled
from services.kernel import Refusal, Refused
from services.runtime.service import Service
from services.store.aggregates import SilentChange
from services.store.clock import now_utc
from services.store.mongo import Transaction
from services.store.outbox import Cause, IllWritten
from services.store.unit import Unit
from services.store.work import Work
from tests.events.conftest import CARD, PROGRAMME, consent, on_the_topic, refer
from tests.helpers.last_writes import write_now


async def test_a_transaction_that_commits_late_is_neither_skipped_nor_sent_too_early(enrolled: Service) -> None:
    began, may_commit = asyncio.Event(), asyncio.Event()
    ids: list[str] = []

    async def slow(transaction: Transaction) -> None:
        unit = Unit(enrolled.store, transaction, enrolled.holder, now_utc())
        cause = Cause(PROGRAMME, unit.now, "late")
        ids.append(
            (await do.refer(do.Refer(partner="afol", card=CARD), Work(unit, enrolled.rules[PROGRAMME], cause)))[
                "worker"
            ]
        )
        unit.attribute(cause)
        await unit.flush()
        await write_now(enrolled.store, transaction)
        began.set()
        await may_commit.wait()

    late = asyncio.create_task(enrolled.store.transaction(slow))
    await began.wait()
    early = [await refer(enrolled) for _ in range(3)]
    seen = await on_the_topic(enrolled, "ama.enrolment", lambda all_: {e.subject for e in all_} >= set(early))
    assert ids[0] not in {event.subject for event in seen}
    may_commit.set()
    await late
    await on_the_topic(enrolled, "ama.enrolment", lambda all_: ids[0] in {e.subject for e in all_})


async def test_what_many_said_of_one_subject_at_once_comes_in_one_order_without_a_gap(enrolled: Service) -> None:
    worker = await refer(enrolled)
    await asyncio.gather(*(consent(enrolled, worker, Purpose.RESEARCH, bool(n % 2)) for n in range(12)))
    mine: list[Any] = []

    def complete(events: list[Any]) -> bool:
        first = {
            event.id: event for event in reversed(events) if event.subject == worker
        }  # a relay that begins may repeat itself
        mine[:] = [event for event in events if first.get(event.id) is event]
        return len(mine) >= 13

    await on_the_topic(enrolled, "ama.enrolment", complete)
    assert [event.sequence for event in mine] == list(range(1, 14))
    outbox = enrolled.store["outbox"].find({"key": worker, "topic": "ama.enrolment"}).sort("sequence", 1)
    assert [event.id for event in mine] == [row["_id"] async for row in outbox]


async def test_a_relay_that_begins_again_sends_what_was_said_meanwhile_and_repeats_only_the_same_ids(
    enrolled: Service,
) -> None:
    from services.events.outbox.relay import Relay

    first = await refer(enrolled)
    await on_the_topic(enrolled, "ama.enrolment", lambda all_: first in {e.subject for e in all_})
    await enrolled.store["relay"].update_one({"_id": "relay"}, {"$set": {"token": {"_data": "00"}}})
    await enrolled.store["relay"].update_one(
        {"_id": "relay"}, {"$set": {"holder": "somebody else", "until": now_utc()}}
    )
    second = await refer(enrolled)
    successor = Relay(enrolled.name, enrolled.store, enrolled.bus, enrolled.settings, enrolled.metrics)
    task = asyncio.create_task(successor.run())
    try:
        seen = await on_the_topic(enrolled, "ama.enrolment", lambda all_: second in {e.subject for e in all_})
    finally:
        task.cancel()
    for subject in (first, second):
        assert len({event.id for event in seen if event.subject == subject}) == 1


async def test_an_event_is_refused_where_it_is_said_when_it_is_too_large_for_the_bus(enrolled: Service) -> None:
    worker = await refer(enrolled)

    async def ramble(command: do.Admit, work: Work) -> None:
        profile = WorkerProfiled(municipality="monza", travel_km=9, slots=("mon-evening",) * 30_000)
        (await work.get(Worker, command.worker)).describe(profile, "sealed")

    with pytest.raises(Refused, match="bytes") as refused:
        await enrolled.do(ramble, do.Admit(worker=worker), PROGRAMME)
    assert refused.value.kind == Refusal.TOO_LARGE
    stored = (await enrolled.store.by_id("worker", [f"{PROGRAMME}/{worker}"]))[f"{PROGRAMME}/{worker}"]
    assert stored["state"]["profile"] is None


async def test_an_open_event_with_a_text_that_a_person_may_have_written_is_a_defect_where_it_is_said(
    enrolled: Service,
) -> None:
    worker = await refer(enrolled)

    async def note(command: do.Admit, work: Work) -> None:
        person = await work.get(Worker, command.worker)
        person.consent(Purpose.RESEARCH, True, "Ada Prova, via Roma 1", "it", work.at)

    with pytest.raises(IllWritten, match="notice") as defect:
        await enrolled.do(note, do.Admit(worker=worker), PROGRAMME)
    assert "Ada" not in str(defect.value)
    assert await enrolled.store["outbox"].count_documents({"key": worker, "topic": "ama.enrolment"}) == 1


async def test_a_change_that_says_nothing_is_refused(enrolled: Service) -> None:
    worker = await refer(enrolled)

    async def whisper(command: do.Admit, work: Work) -> None:
        (await work.get(Worker, command.worker)).partner = "cgil"

    with pytest.raises(SilentChange):
        await enrolled.do(whisper, do.Admit(worker=worker), PROGRAMME)


async def test_nothing_is_said_of_a_command_that_was_refused(enrolled: Service) -> None:
    worker = await refer(enrolled)
    with pytest.raises(Refused, match="has not consented"):
        await enrolled.do(do.admit, do.Admit(worker=worker), PROGRAMME)
    assert await enrolled.store["outbox"].count_documents({"key": worker, "topic": "ama.enrolment"}) == 1
