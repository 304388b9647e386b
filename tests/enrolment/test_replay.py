"""Replay of a worker's events gives the state that the commands gave, whatever the commands were."""

from datetime import datetime, timedelta
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from enrolment.domain import Status, Worker
from enrolment.reactions import gate
from enrolment.replay import replays
from services import vault
from services.contracts import Event
from services.contracts.enrolment import (
    Contacting,
    Leaving,
    Purpose,
    Step,
    WithdrawalExplained,
    WorkerCorrected,
    WorkerErased,
)
from services.kernel import Refused
from tests.enrolment.memory import KEY, MemoryWork
from tests.enrolment.workers import AT, PROFILE, TRACE, decide, in_status, referred, sealed

PROFILES = [PROFILE.model_copy(update={"travel_km": float(km)}) for km in (5, 15, 40)]
STEPS = st.one_of(
    st.tuples(st.just("consent"), st.sampled_from(Purpose), st.booleans(), st.sampled_from(["2026-09", "2026-10"])),
    st.tuples(st.just("consent"), st.just(Purpose.PARTICIPATION), st.just(True), st.just("2026-09")),
    st.tuples(st.just("describe"), st.sampled_from(PROFILES)),
    st.tuples(st.just("withdraw"), st.sampled_from(Leaving)),
    st.sampled_from([("admit",), ("decline",), ("hold",), ("come_back",)]),
    st.tuples(st.just("try"), st.booleans()),
    st.tuples(st.just("book"), st.sampled_from([None, "cisl"])),
    st.tuples(st.just("redate"), st.sampled_from(Step)),
    st.tuples(st.just("judge"), st.sampled_from(["merge", "part", "undo"])),
    st.just(("erase",)),
)


def take(worker: Worker, step: tuple[Any, ...], at: datetime) -> None:
    """Run one command on the worker."""
    match step:
        case ("consent", purpose, is_given, notice):
            decide(worker, purpose, is_given, at, notice)
        case ("describe", profile):
            worker.describe(profile, sealed(worker.id, "profile", profile.model_dump_json()))
        case ("withdraw", reason):
            worker.withdraw(reason, at)
        case ("try", reached):
            worker.try_contact(Contacting.PHONE, reached, at)
        case ("book", place):
            worker.book(at + timedelta(days=2), place, at)
        case ("redate", named):
            worker.redate(named, at)
        case ("judge", judge):
            getattr(worker, judge)(Worker.refer("w9", "cgil", at), at)
        case ("erase",):
            worker.erase()
            worker.erased = AT  # the time of the command, which the event has
        case (name,):
            getattr(worker, name)(at)


def events_of(worker: Worker, at: datetime = AT) -> list[Event[Any]]:
    """The worker's recorded events as they are stored, with `at` for those without a time of their own."""
    return [
        Event(
            id=f"e{number}",
            source="/programmes/smoke/enrolment",
            type=each.data.type,  # type: ignore[attr-defined]
            subject=worker.id,
            time=each.at or at,
            recordedtime=at,
            sequence=number,
            data=each.data,
            traceparent=TRACE,
        )
        for number, each in enumerate(worker._events, 1)
    ]


async def replayed(events: list[Event[Any]], work: MemoryWork) -> Worker:
    """The worker after these events, by the replay table, and by the gate for the erasure. No aggregate keeps a reason of leaving."""
    for event in (each for each in events if not isinstance(each.data, WithdrawalExplained)):
        for handler in replays.handlers.get(event.type, ()):
            await handler(event, work.as_work)
        for erasing in () if event.type in replays.handlers else gate.handlers[event.type]:
            await erasing(event.subject, work.as_work)
    return work.workers["w1"]


@settings(derandomize=True, max_examples=300)
@given(st.lists(STEPS, max_size=12))
async def test_replay_gives_the_same_state_as_the_commands(steps: list[tuple[Any, ...]]) -> None:
    live = referred()
    for number, step in enumerate(steps):
        try:
            take(live, step, AT + timedelta(hours=number))
        except Refused:
            continue  # what is refused records no event
    again = await replayed(events_of(live), MemoryWork())
    assert again.model_dump() == live.model_dump()
    assert again._events == []


async def test_a_worker_who_is_missing_gets_the_card_that_the_bus_has() -> None:
    card = {"given_name": "Ada", "email": "ada@example.org"}
    record = vault.encrypt_payload(KEY, "w1", orjson.dumps(card)).encode()
    worker = await replayed(events_of(referred()), MemoryWork(card=record))
    assert worker.card == {name: sealed("w1", name, text) for name, text in card.items()}
    assert worker.trace == TRACE


async def test_a_worker_without_a_card_on_the_bus_comes_back_without_a_name() -> None:
    assert (await replayed(events_of(referred()), MemoryWork())).card == {}


async def test_a_corrected_card_comes_from_the_bus_and_stays_as_it_was_without_one_there() -> None:
    corrected = Event(
        id="c", source="/programmes/smoke/enrolment", type=WorkerCorrected.type, subject="w1", time=AT, recordedtime=AT, sequence=2,
        data=WorkerCorrected(),
    )  # fmt: skip
    there, card = in_status(Status.ADMITTED), {"given_name": "Ada"}
    before = there.card
    assert (await replayed([corrected], MemoryWork(there))).card == before
    record = vault.encrypt_payload(KEY, "w1", orjson.dumps(card)).encode()
    assert (await replayed([corrected], MemoryWork(there, card=record))).card == {
        "given_name": sealed("w1", "given_name", "Ada")
    }


async def test_a_worker_who_is_there_is_not_created_anew() -> None:
    there = in_status(Status.ADMITTED)
    assert await replayed(events_of(referred()), MemoryWork(there)) is there
    assert there.status is Status.ADMITTED


async def test_the_gate_empties_a_restored_record_at_an_erasure_and_needs_none() -> None:
    [event] = [each for each in events_of(_erased()) if each.type == WorkerErased.type]
    restored = in_status(Status.ADMITTED)
    worker = await replayed([event], MemoryWork(restored))
    empty = Worker(id="w1", partner="cisl", trace=TRACE, status=Status.ERASED, erased=AT)
    assert worker.model_dump() == empty.model_dump()
    for handler in gate.handlers[event.type]:
        await handler("w1", MemoryWork().as_work)


async def test_a_profile_comes_back_sealed() -> None:
    live = referred()
    live.describe(PROFILE, "sealed once")
    assert (await replayed(events_of(live), MemoryWork())).profile == sealed("w1", "profile", PROFILE.model_dump_json())


def _erased() -> Worker:
    worker = referred()
    worker.erase()
    return worker
