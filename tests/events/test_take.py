"""Taken once, whatever the bus does: the algorithm alone, against a desk in memory."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.contracts import Event, encode
from services.contracts.enrolment import WorkerReferred
from services.events.delivery.state import BatchResult, Dead, Letter, Mark, Parked
from services.events.delivery.take import TRIES, take
from services.kernel import NotYet

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class MemoryDesk:
    """What a store keeps between transactions."""

    def __init__(self) -> None:
        self.kept_offsets: dict[tuple[str, int], int] = {}
        self.kept_marks: dict[str, Mark] = {}
        self.kept_parked: dict[str, dict[int, Parked]] = {}
        self.dead: list[Dead] = []
        self.let_go: dict[str, bool] = {}

    async def offsets(self, partitions: Collection[tuple[str, int]]) -> dict[tuple[str, int], int]:
        return {each: self.kept_offsets[each] for each in partitions if each in self.kept_offsets}

    async def marks(self, keys: Collection[str]) -> dict[str, Mark]:
        found = {key: self.kept_marks[key] for key in keys if key in self.kept_marks}
        return {key: Mark(mark.sequence, mark.id, mark.stopped) for key, mark in found.items()}

    async def parked(self, keys: Collection[str]) -> dict[str, dict[int, Parked]]:
        return {key: dict(self.kept_parked[key]) for key in keys if key in self.kept_parked}

    async def dismissed(self, names: Collection[str]) -> Mapping[str, bool]:
        return {name: self.let_go[name] for name in names if name in self.let_go}

    async def save(self, turn: BatchResult) -> None:
        self.kept_marks |= turn.marks
        self.kept_offsets |= turn.offsets
        self.kept_parked |= turn.parked
        self.dead += turn.dead


class Seen:
    """An effect that writes down what it took."""

    tables: Collection[str] = ()

    def __init__(self, blocked: Collection[str] = ()) -> None:
        self.taken: list[str] = []
        self.blocked = set(blocked)

    async def prepare(self, events: Sequence[Event[Any]]) -> None:
        """Nothing."""

    async def tabulate(self, letter: Letter) -> None:
        """Nothing."""

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


def letters(events: Sequence[Event[Any]], first: int = 0) -> list[Letter]:
    return [
        Letter("ama.enrolment", 0, first + at, each.subject.encode(), encode(each)) for at, each in enumerate(events)
    ]


def run(batches: Sequence[Sequence[Letter]], desk: MemoryDesk, seen: Seen) -> None:
    async def all_of_them() -> None:
        for batch in batches:
            await take(batch, desk, seen, NOW)

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
    desk, seen = MemoryDesk(), Seen()
    sent = letters(delivered)
    run([sent[at : at + size] for at in range(0, len(sent), size)], desk, seen)
    for subject in "ab":
        wanted = sorted({each.sequence for each in delivered if each.subject == subject})
        assert [int(id[1:]) for id in seen.taken if id[0] == subject] == wanted
    assert not any(desk.kept_parked.values())
    assert not desk.dead


def test_a_batch_delivered_again_below_the_stored_offset_is_dropped() -> None:
    desk, seen = MemoryDesk(), Seen()
    sent = letters([event("a", 1), event("a", 2)])
    run([sent, sent], desk, seen)
    assert seen.taken == ["a1", "a2"]


def test_another_event_at_a_taken_sequence_stops_that_subject_and_no_other() -> None:
    desk, seen = MemoryDesk(), Seen()
    run([letters([event("a", 1), event("a", 1, "other"), event("a", 2), event("b", 1)])], desk, seen)
    assert seen.taken == ["a1", "b1"]
    assert [dead.why for dead in desk.dead] == ["another event (other) at sequence 1, which was taken as a1"]
    assert list(desk.kept_parked["/programmes/p/enrolment|a"]) == [2]


def test_what_waits_holds_back_its_subject_alone_and_follows_in_order() -> None:
    desk, seen = MemoryDesk(), Seen(blocked=["a1"])
    run([letters([event("a", 1), event("a", 2), event("b", 1)])], desk, seen)
    assert seen.taken == ["b1"]
    seen.blocked.clear()
    asyncio.run(_again(desk, seen))
    assert seen.taken == ["b1", "a1", "a2"]
    assert not any(desk.kept_parked.values())


async def _again(desk: MemoryDesk, seen: Seen) -> None:
    await take([], desk, seen, NOW + timedelta(seconds=1), also=["/programmes/p/enrolment|a"])


def test_what_waits_too_long_is_buried_and_its_subject_stops() -> None:
    desk, seen = MemoryDesk(), Seen(blocked=["a1"])
    run([letters([event("a", 1), event("a", 2)])], desk, seen)

    async def often(times: int, after: timedelta) -> None:
        for _ in range(times):
            await take([], desk, seen, NOW + after, also=["/programmes/p/enrolment|a"])

    asyncio.run(often(1, timedelta(days=1)))
    assert not desk.dead, "a consumer that was down for a day has not tried for a day"
    asyncio.run(often(TRIES, timedelta(days=1)))
    assert seen.taken == []
    assert [dead.why for dead in desk.dead] == ["waited too long: not yet: what it needs"]


@given(st.binary() | st.none())
def test_no_record_stops_the_others(value: bytes | None) -> None:
    desk, seen = MemoryDesk(), Seen()
    strange = Letter("ama.enrolment", 0, 0, None, value, [("content-type", b"\xff\xfe")])
    run([[strange, *letters([event("a", 1)], first=1)]], desk, seen)
    assert seen.taken == ["a1"]
    assert [dead.letter for dead in desk.dead] == [strange]


def test_a_repeat_of_what_waits_is_dropped_and_another_event_in_its_place_stops_the_subject() -> None:
    desk, seen = MemoryDesk(), Seen()
    run([letters([event("a", 2), event("a", 2), event("a", 2, "other"), event("a", 1)])], desk, seen)
    assert seen.taken == []
    assert [(dead.name, dead.why) for dead in desk.dead] == [
        ("other", "another event (other) at sequence 2, where a2 waits")
    ]
    assert sorted(desk.kept_parked["/programmes/p/enrolment|a"]) == [1, 2]


def test_what_was_dismissed_keeps_its_place_without_effect_and_a_dismissed_intruder_has_none() -> None:
    desk, seen = MemoryDesk(), Seen()
    desk.let_go = {"a2": True, "other": False}
    run(
        [letters([event("a", 1, "other"), event("a", 1), event("a", 3), event("a", 2), event("a", 2, "other")])],
        desk,
        seen,
    )
    assert seen.taken == ["a1", "a3"]
    assert not desk.dead


def test_it_is_said_of_each_that_is_parked_what_it_waits_for() -> None:
    desk, seen, key = MemoryDesk(), Seen(blocked=["a1"]), "/programmes/p/enrolment|a"
    run([letters([event("a", 4), event("a", 2)])], desk, seen)
    assert [desk.kept_parked[key][n].why for n in (2, 4)] == ["hole", "hole"]
    run([letters([event("a", 1)], first=2)], desk, seen)
    assert [desk.kept_parked[key][n].why for n in (1, 2, 4)] == [
        "not yet: what it needs",
        "behind one that waits",
        "behind one that waits",
    ]
    seen.blocked.clear()
    asyncio.run(_again(desk, seen))
    assert {n: parked.why for n, parked in desk.kept_parked[key].items()} == {4: "hole"}


def test_with_a_limit_what_would_follow_is_left_parked_and_due() -> None:
    desk, seen, key = MemoryDesk(), Seen(), "/programmes/p/enrolment|a"
    run([letters([event("a", 2), event("a", 3)])], desk, seen)
    turn = asyncio.run(take(letters([event("a", 1)], first=2), desk, seen, NOW, limit=1))
    assert (seen.taken, turn.put_off) == (["a1"], [key])
    assert desk.kept_parked[key][2].waits
    assert desk.kept_parked[key][2].retry <= NOW
    asyncio.run(take([], desk, seen, NOW, also=[key]))
    assert seen.taken == ["a1", "a2", "a3"]
