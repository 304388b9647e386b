"""Taken once: which of a batch's records take effect, which are repeats, which must wait, which can never be taken.

Invariants: per source and subject only mark + 1 is taken; a repeat is dropped; what comes after a hole, or behind an event that is
waiting or dead, is parked and follows in order; another event id at a sequence that is taken or parked stops that subject; what was
dismissed has no effect, in whatever generation. Offsets, marks, parked events and effects are saved by the caller's one transaction,
or none of them is; whoever parks an event writes its subject's mark, so that nobody can let the subject go on without seeing it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from services.contracts import Event, Unreadable, decode
from services.events.delivery.state import (
    BEHIND_DEAD,
    BEHIND_WAITING,
    HOLE,
    BatchResult,
    Dead,
    Desk,
    Effect,
    Letter,
    Parked,
    key_of,
    name_of,
)
from services.kernel import NotYet

SLOWEST = timedelta(seconds=5)  # between two tries of an event that waits
PATIENCE = timedelta(minutes=30)  # how long an event is tried that needs what is not there
TRIES = PATIENCE // SLOWEST  # counted in tries, since a consumer that is down tries nothing


async def take(
    letters: Sequence[Letter],
    desk: Desk,
    effect: Effect,
    now: datetime,
    also: Collection[str] = (),
    doom: str | None = None,
    spoiled: Mapping[str, str] | None = None,
    limit: int | None = None,
) -> BatchResult:
    """Take a batch within the desk's transaction, and try what is parked under the keys `also`. `doom`: the first event whose turn it
    is, is dead for this reason (the caller has tried often enough). `spoiled`: events by id that are not tried this time, and why
    they wait. `limit`: take so many events, and leave what would follow parked, due at once. Raises Spoiled when an event must join
    those."""
    turn = BatchResult(now)
    turn.before = await desk.offsets({(each.topic, each.partition) for each in letters})
    ours = [each for each in letters if each.offset >= turn.before.get((each.topic, each.partition), 0)]
    turn.tally.add("behind", len(letters) - len(ours))
    turn.offsets = {(each.topic, each.partition): each.offset + 1 for each in ours}
    readable = [(each, _read(each)) for each in ours if each.topic not in effect.tables]
    events = [event for _, event in readable if isinstance(event, Event)]
    keys = {key_of(event) for event in events} | set(also)
    turn.marks = await desk.marks(keys)
    turn.parked = await desk.parked(keys)
    holes = set(turn.holed())
    reach = [event for event in events if turn.mark(key_of(event)).stopped is None]
    reach += turn.followers(keys if limit is None else also, limit)
    none = [name_of(letter, None) for letter in ours if letter.topic in effect.tables]
    none += [name_of(letter, None) for letter, event in readable if isinstance(event, Unreadable)]
    dismissed = await desk.dismissed({*none, *(event.id for event in events), *(event.id for event in reach)})
    if doom is None:  # what is dead may have failed in the preparing
        await effect.prepare(reach)
    step = _Step(turn, effect, dismissed, doom, spoiled or {}, limit)
    for key in also:
        await step.follow(key)
    for letter in ours:
        if letter.topic in effect.tables:
            await step.tabulate(letter)
    for letter, event in readable:
        await step.one(letter, event)
    for key in keys:
        step.label(key)
    turn.holes = len(set(turn.holed()) - holes)
    await desk.save(turn)
    return turn


def _read(letter: Letter) -> Event[Any] | Unreadable:
    try:
        return decode(letter.value)
    except Unreadable as error:
        return error


@dataclass(slots=True)
class _Step:
    turn: BatchResult
    effect: Effect
    dismissed: Mapping[str, bool]
    doom: str | None
    spoiled: Mapping[str, str]
    left: int | None

    async def tabulate(self, letter: Letter) -> None:
        """Keep, or bury, a record of a compacted topic."""
        try:
            if name_of(letter, None) in self.dismissed:
                self.turn.tally.add("dismissed")
            elif self.doom is not None:
                self.turn.dead.append(Dead(letter, self.doom))
                self.turn.tally.add("dead")
            else:
                await self.effect.tabulate(letter)
                self.turn.tally.add("tabulated")
        except Unreadable as error:
            self.unreadable(letter, error)

    def unreadable(self, letter: Letter, error: Unreadable) -> None:
        """It is none of ours, and has no subject that could wait behind it."""
        if name_of(letter, None) in self.dismissed:
            self.turn.tally.add("dismissed")
            return
        self.turn.dead.append(Dead(letter, str(error)))
        self.turn.tally.add("unreadable")

    async def one(self, letter: Letter, event: Event[Any] | Unreadable) -> None:
        """Take, drop, park or bury one record."""
        if isinstance(event, Unreadable):
            self.unreadable(letter, event)
            return
        key, tally = key_of(event), self.turn.tally
        mark, waiting = self.turn.mark(key), self.turn.parked.get(key, {})
        if self.dismissed.get(event.id) is False:
            tally.add("dismissed")
        elif event.sequence <= mark.sequence:
            if event.sequence == mark.sequence and event.id != mark.id and mark.stopped is None:
                self.intrude(letter, event, f"which was taken as {mark.id}")
            else:
                tally.add("repeated")
        elif (known := waiting.get(event.sequence)) is not None:
            if (other := decode(known.letter.value).id) != event.id:
                self.intrude(letter, event, f"where {other} waits")
            else:
                tally.add("repeated")
        elif mark.stopped is not None or event.sequence > mark.sequence + 1:
            self.park(key, letter, event, HOLE)
        elif await self.attempt(key, letter, event):
            await self.follow(key)

    async def attempt(self, key: str, letter: Letter, event: Event[Any]) -> bool:
        """It is this event's turn: whether it was taken."""
        try:
            if event.id in self.dismissed:
                outcome = "dismissed"
            elif self.doom is not None:
                self.bury(key, letter, event, self.doom)
                return False
            elif event.id in self.spoiled:
                raise NotYet(self.spoiled[event.id])
            else:
                outcome = await self.effect.apply(event)
        except NotYet as reason:
            self.wait(key, letter, event, f"not yet: {reason}")
            return False
        except Unreadable as error:
            self.bury(key, letter, event, str(error))
            return False
        self.turn.mark(key).move(event)
        self.count(outcome)
        return True

    def count(self, outcome: str) -> None:
        """One event less to take; a success ends a row of failures."""
        self.turn.tally.add(outcome)
        if self.left is not None:
            self.left -= 1
        if outcome == "taken":
            self.turn.took = True
            self.turn.row.clear()

    async def follow(self, key: str) -> None:
        """What was parked behind the mark follows, as far as it goes."""
        mark, waiting = self.turn.mark(key), self.turn.parked.get(key, {})
        for passed in [each for each in waiting if each <= mark.sequence]:
            self.unpark(key, passed)
        while mark.stopped is None and (parked := waiting.get(mark.sequence + 1)) is not None:
            event = decode(parked.letter.value)
            if self.left == 0:
                self.keep(key, event.sequence, Parked(parked.letter, "not yet: its turn", self.turn.now, self.turn.now))
                self.turn.put_off.append(key)
                return
            if not await self.attempt(key, parked.letter, event):
                return
            self.unpark(key, event.sequence)

    def wait(self, key: str, letter: Letter, event: Event[Any], why: str) -> None:
        """What it needs is not there: it is tried again, but not for ever."""
        known = self.turn.parked.get(key, {}).get(event.sequence)
        if known is not None and known.waits and known.tries >= TRIES:
            self.bury(key, letter, event, f"waited too long: {why}")
        else:
            self.park(key, letter, event, why)

    def park(self, key: str, letter: Letter, event: Event[Any], why: str) -> None:
        """Keep it until its turn. The longer it waits, the longer until the next try: 0.1 s doubling to 5 s."""
        now, known = self.turn.now, self.turn.parked.get(key, {}).get(event.sequence)
        waited = known if known is not None and known.waits else None
        tries = waited.tries + 1 if waited else 0
        retry = now + min(SLOWEST, timedelta(seconds=0.1 * 2 ** min(tries, 10)))
        self.keep(key, event.sequence, Parked(letter, why, waited.since if waited else now, retry, tries))
        self.turn.tally.add("parked" if known is None else "still parked")

    def keep(self, key: str, sequence: int, parked: Parked) -> None:
        """It is parked so, and the mark is written with it."""
        self.turn.parked.setdefault(key, {})[sequence] = parked
        self.turn.fresh.append((key, sequence))
        self.turn.mark(key).dirty = True

    def unpark(self, key: str, sequence: int) -> None:
        """It is parked no more."""
        del self.turn.parked[key][sequence]
        self.turn.unparked.append((key, sequence))

    def label(self, key: str) -> None:
        """Say of what is parked behind another what it waits for."""
        mark, waiting = self.turn.mark(key), self.turn.parked.get(key, {})
        why = BEHIND_DEAD if mark.stopped else BEHIND_WAITING if mark.sequence + 1 in waiting else HOLE
        for sequence, parked in waiting.items():
            if not parked.first and parked.why != why:
                self.keep(key, sequence, replace(parked, why=why))

    def bury(self, key: str, letter: Letter, event: Event[Any], why: str) -> None:
        """It cannot be taken as it is: its subject stops, and the event stays parked first in line."""
        self.turn.mark(key).stop(why)
        self.keep(key, event.sequence, Parked(letter, f"dead: {why}", self.turn.now, self.turn.now))
        self.turn.dead.append(Dead(letter, why, event))
        self.turn.row.append(event.id)
        self.turn.tally.add("dead")

    def intrude(self, letter: Letter, event: Event[Any], what: str) -> None:
        """Two events claim one place, and nobody can tell which is right: the subject stops."""
        why = f"another event ({event.id}) at sequence {event.sequence}, {what}"
        self.turn.mark(key_of(event)).stop(why)
        self.turn.dead.append(Dead(letter, why, event, intruder=True))
        self.turn.tally.add("conflicting")
