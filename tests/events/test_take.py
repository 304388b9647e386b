"""Each event is taken once, whatever the bus does: the algorithm alone, with its state in memory."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.contracts import Event, Unreadable, encode
from services.contracts.enrolment import WorkerReferred
from services.events.delivery.state import BatchResult, Dead, Mark, Parked, ParkedStatus, Record
from services.events.delivery.step import TRIES
from services.events.delivery.take import take
from services.kernel import NotYet

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class MemoryState:
    """Keeps in memory what a store keeps between transactions."""

    def __init__(self) -> None:
        self.kept_offsets: dict[tuple[str, int], int] = {}
        self.kept_marks: dict[str, Mark] = {}
        self.kept_parked: dict[str, dict[int, Parked]] = {}
        self.dead: list[Dead] = []
        self.let_go: dict[str, bool] = {}

    async def offsets(self, partitions: Collection[tuple[str, int]]) -> dict[tuple[str, int], int]:
        return {each: self.kept_offsets[each] for each in partitions if each in self.kept_offsets}

    async def marks(self, keys: Collection[str], begun: Collection[str] = ()) -> dict[str, Mark]:
        found = {key: self.kept_marks[key] for key in keys if key in self.kept_marks}
        return {key: Mark(mark.sequence, mark.id, mark.stopped) for key, mark in found.items()}

    async def parked(self, keys: Collection[str]) -> dict[str, dict[int, Parked]]:
        return {key: dict(self.kept_parked[key]) for key in keys if key in self.kept_parked}

    async def dismissed(self, names: Collection[str]) -> Mapping[str, bool]:
        return {name: self.let_go[name] for name in names if name in self.let_go}

    async def save(self, result: BatchResult) -> None:
        self.kept_marks |= result.marks
        self.kept_offsets |= result.offsets
        self.kept_parked |= result.parked
        self.dead += result.dead


class Seen:
    """An effect that lists the ids of the events that it took."""

    tables: Collection[str] = ()

    def __init__(self, blocked: Collection[str] = ()) -> None:
        self.taken: list[str] = []
        self.blocked = set(blocked)
        self.erased = set[str]()

    async def prepare(self, events: Sequence[Event[Any]]) -> None:
        """Nothing is to be fetched."""

    async def tabulate(self, record: Record) -> None:
        """No topic here is compacted."""

    def is_erased(self, event: Event[Any]) -> bool:
        return event.subject in self.erased

    async def apply(self, event: Event[Any]) -> str:
        if event.id in self.blocked:
            raise NotYet("what it needs")
        self.taken.append(event.id)
        return "taken"


def event(subject: str, sequence: int, id: str | None = None) -> Event[Any]:
    return Event(
        id=id or f"{subject}{sequence}",
        source="/programmes/p/enrolment",
        type=WorkerReferred.type,
        subject=subject,
        time=NOW,
        recordedtime=NOW,
        sequence=sequence,
        data=WorkerReferred(partner="afol"),
    )


def records(events: Sequence[Event[Any]], first: int = 0) -> list[Record]:
    return [
        Record("ama.enrolment", 0, first + at, each.subject.encode(), encode(each)) for at, each in enumerate(events)
    ]


def run(batches: Sequence[Sequence[Record]], state: MemoryState, seen: Seen) -> None:
    async def all_of_them() -> None:
        for batch in batches:
            await take(batch, state, seen, NOW)

    asyncio.run(all_of_them())


@st.composite
def deliveries(draw: st.DrawFn) -> list[Event[Any]]:
    """Two subjects' events, every one at least once, in any order, with any repeats."""
    lengths = draw(st.tuples(st.integers(0, 6), st.integers(0, 6)))
    all_events = [
        event(subject, n) for subject, length in zip("ab", lengths, strict=True) for n in range(1, length + 1)
    ]
    repeats = draw(st.lists(st.sampled_from(all_events), max_size=8)) if all_events else []
    return draw(st.permutations([*all_events, *repeats]))


@given(deliveries(), st.integers(1, 5))
def test_any_order_with_any_repeats_is_taken_once_and_in_order(delivered: list[Event[Any]], size: int) -> None:
    state, seen = MemoryState(), Seen()
    sent = records(delivered)
    run([sent[at : at + size] for at in range(0, len(sent), size)], state, seen)
    for subject in "ab":
        wanted = sorted({each.sequence for each in delivered if each.subject == subject})
        assert [int(id[1:]) for id in seen.taken if id[0] == subject] == wanted
    assert not any(state.kept_parked.values())
    assert not state.dead


def test_a_batch_delivered_again_below_the_stored_offset_is_dropped() -> None:
    state, seen = MemoryState(), Seen()
    sent = records([event("a", 1), event("a", 2)])
    run([sent, sent], state, seen)
    assert seen.taken == ["a1", "a2"]


def test_what_speaks_for_another_service_is_a_dead_letter_that_stops_and_holds_back_nobody() -> None:
    state, seen = MemoryState(), Seen()
    # A service that was taken over may write on its own topic alone, and there it may write anything.
    forged = [replace(each, topic="ama.sessions") for each in records([event(f"s{n}", 1) for n in range(40)])]
    other = [
        replace(
            each, topic="ama.sessions", value=each.value.replace(b"/programmes/p/enrolment", b"/programmes/p/sessions")
        )
        for each in records([event("a", 1, "forged")], first=40)
        if each.value is not None
    ]
    run([[*forged, *other], records([event("a", 1), event("a", 2)])], state, seen)
    assert seen.taken == ["a1", "a2"]
    assert len(state.dead) == 41
    assert {each.why.partition(":")[0] for each in state.dead} == {"source", "type"}
    # Without an event a dead letter has no subject, so nothing waits behind it and it does not count as a failing subject.
    assert {each.event for each in state.dead} == {None}
    assert set(state.kept_marks) == {"/programmes/p/enrolment|a"}


def test_another_event_of_an_erased_person_is_no_dead_letter_and_stops_nothing() -> None:
    state, seen = MemoryState(), Seen()
    seen.erased.add("a")
    run(
        [records([event("a", 1), event("a", 1, "other"), event("a", 2), event("b", 1), event("b", 1, "other")])],
        state,
        seen,
    )
    assert seen.taken == ["a1", "a2", "b1"]
    assert [each.event and each.event.subject for each in state.dead] == ["b"]


def test_another_event_at_a_taken_sequence_stops_that_subject_and_no_other() -> None:
    state, seen = MemoryState(), Seen()
    run([records([event("a", 1), event("a", 1, "other"), event("a", 2), event("b", 1)])], state, seen)
    assert seen.taken == ["a1", "b1"]
    assert [dead.why for dead in state.dead] == ["another event (other) at sequence 1, which was taken as a1"]
    assert list(state.kept_parked["/programmes/p/enrolment|a"]) == [2]


def test_what_waits_holds_back_its_subject_alone_and_follows_in_order() -> None:
    state, seen = MemoryState(), Seen(blocked=["a1"])
    run([records([event("a", 1), event("a", 2), event("b", 1)])], state, seen)
    assert seen.taken == ["b1"]
    seen.blocked.clear()
    asyncio.run(_again(state, seen))
    assert seen.taken == ["b1", "a1", "a2"]
    assert not any(state.kept_parked.values())


async def _again(state: MemoryState, seen: Seen) -> None:
    await take([], state, seen, NOW + timedelta(seconds=1), also=["/programmes/p/enrolment|a"])


def test_what_waits_too_long_is_buried_and_its_subject_stops() -> None:
    state, seen = MemoryState(), Seen(blocked=["a1"])
    run([records([event("a", 1), event("a", 2)])], state, seen)

    async def often(times: int, after: timedelta) -> None:
        for _ in range(times):
            await take([], state, seen, NOW + after, also=["/programmes/p/enrolment|a"])

    asyncio.run(often(1, timedelta(days=1)))
    assert not state.dead, "a consumer that was down for a day has not tried for a day"
    asyncio.run(often(TRIES, timedelta(days=1)))
    assert seen.taken == []
    assert [dead.why for dead in state.dead] == ["waited too long: not yet: what it needs"]


@given(st.binary() | st.none())
def test_no_record_stops_the_others(value: bytes | None) -> None:
    state, seen = MemoryState(), Seen()
    strange = Record("ama.enrolment", 0, 0, None, value, [("content-type", b"\xff\xfe")])
    run([[strange, *records([event("a", 1)], first=1)]], state, seen)
    assert seen.taken == ["a1"]
    assert [dead.record for dead in state.dead] == [strange]


def test_a_repeat_of_what_waits_is_dropped_and_another_event_in_its_place_stops_the_subject() -> None:
    state, seen = MemoryState(), Seen()
    run([records([event("a", 2), event("a", 2), event("a", 2, "other"), event("a", 1)])], state, seen)
    assert seen.taken == []
    assert [(dead.name, dead.why) for dead in state.dead] == [
        ("other", "another event (other) at sequence 2, where a2 waits")
    ]
    assert sorted(state.kept_parked["/programmes/p/enrolment|a"]) == [1, 2]


def test_what_was_dismissed_keeps_its_place_without_effect_and_a_dismissed_intruder_has_none() -> None:
    state, seen = MemoryState(), Seen()
    state.let_go = {"a2": True, "other": False}
    run(
        [records([event("a", 1, "other"), event("a", 1), event("a", 3), event("a", 2), event("a", 2, "other")])],
        state,
        seen,
    )
    assert seen.taken == ["a1", "a3"]
    assert not state.dead


def test_it_is_said_of_each_that_is_parked_what_it_waits_for() -> None:
    state, seen, key = MemoryState(), Seen(blocked=["a1"]), "/programmes/p/enrolment|a"
    run([records([event("a", 4), event("a", 2)])], state, seen)
    assert [state.kept_parked[key][n].status for n in (2, 4)] == [ParkedStatus.GAP, ParkedStatus.GAP]
    run([records([event("a", 1)], first=2)], state, seen)
    assert [state.kept_parked[key][n].status for n in (1, 2, 4)] == [
        ParkedStatus.NOT_YET,
        ParkedStatus.BEHIND_WAITING,
        ParkedStatus.BEHIND_WAITING,
    ]
    assert state.kept_parked[key][1].reason == "what it needs"
    seen.blocked.clear()
    asyncio.run(_again(state, seen))
    assert {n: parked.status for n, parked in state.kept_parked[key].items()} == {4: ParkedStatus.GAP}


def test_with_a_limit_what_would_follow_is_left_parked_and_due() -> None:
    state, seen, key = MemoryState(), Seen(), "/programmes/p/enrolment|a"
    run([records([event("a", 2), event("a", 3)])], state, seen)
    result = asyncio.run(take(records([event("a", 1)], first=2), state, seen, NOW, limit=1))
    assert (seen.taken, result.postponed) == (["a1"], [key])
    assert state.kept_parked[key][2].retried
    assert state.kept_parked[key][2].retry <= NOW
    asyncio.run(take([], state, seen, NOW, also=[key]))
    assert seen.taken == ["a1", "a2", "a3"]


class Unfriendly(Seen):
    """Says of one event that it is not yet time, in words that other states use; fails for another."""

    async def apply(self, event: Event[Any]) -> str:
        if event.id == "a1":
            raise NotYet("dead: a gap behind a dead letter")
        if event.id == "b1":
            raise Unreadable("data", "not yet: a gap")
        return await super().apply(event)


def test_the_status_of_a_parked_event_does_not_depend_on_the_words_of_its_reason() -> None:
    state = MemoryState()
    run([records([event("a", 1), event("b", 1), event("a", 2), event("b", 2)])], state, Unfriendly())
    found = {key[-1]: {n: each.status for n, each in parked.items()} for key, parked in state.kept_parked.items()}
    assert found == {
        "a": {1: ParkedStatus.NOT_YET, 2: ParkedStatus.BEHIND_WAITING},
        "b": {1: ParkedStatus.DEAD, 2: ParkedStatus.BEHIND_DEAD},
    }
    assert [dead.name for dead in state.dead] == ["b1"]
