"""Decides for each record of a batch: it takes effect, is a repeat, must wait, or can never be taken.

Invariant: see `services.events.delivery.take`. A step changes the result of the batch in memory; nothing here is stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from services.contracts import Event, Unreadable, decode
from services.events.delivery.state import (
    REASONS,
    BatchResult,
    Dead,
    Effect,
    Parked,
    ParkedStatus,
    Record,
    key_of,
    name_of,
)
from services.kernel import NotYet

SLOWEST = timedelta(seconds=5)  # longest pause between two tries of an event
PATIENCE = timedelta(minutes=30)  # for an event that needs what is not there
TRIES = PATIENCE // SLOWEST  # patience is counted in tries, because a consumer that is down tries nothing


def pause(tries: int) -> timedelta:
    """Return the pause after so many tries: from 0.1 s, doubling up to `SLOWEST`."""
    # The exponent is limited: `TRIES` doublings would be more than a timedelta can hold.
    return min(SLOWEST, timedelta(seconds=0.1 * 2 ** min(tries, 10)))


@dataclass(slots=True)
class Step:
    """The records of one batch, one after the other. `left`: events that may still be taken; None: no limit."""

    result: BatchResult
    effect: Effect
    dismissed: Mapping[str, bool]
    failure: str | None
    deferred: Mapping[str, str]
    left: int | None

    async def tabulate(self, record: Record) -> None:
        """Keep a record of a compacted topic, or make it a dead letter."""
        try:
            if name_of(record, None) in self.dismissed:
                self.result.tally.add("dismissed")
            elif self.failure is not None:
                self.result.dead.append(Dead(record, self.failure))
                self.result.tally.add("dead")
            else:
                await self.effect.tabulate(record)
                self.result.tally.add("tabulated")
        except Unreadable as error:
            self.unreadable(record, error)

    def unreadable(self, record: Record, error: Unreadable) -> None:
        """Make it a dead letter. It has no subject, so nothing waits behind it."""
        if name_of(record, None) in self.dismissed:
            self.result.tally.add("dismissed")
            return
        self.result.dead.append(Dead(record, str(error)))
        self.result.tally.add("unreadable")

    async def one(self, record: Record, event: Event[Any] | Unreadable) -> None:
        """Take, drop, park or bury one record."""
        if isinstance(event, Unreadable):
            self.unreadable(record, event)
            return
        key, tally = key_of(event), self.result.tally
        mark, waiting = self.result.mark(key), self.result.parked.get(key, {})
        # A dismissed intruder has no place in the sequence, so its sequence is not compared.
        if self.dismissed.get(event.id) is False:
            tally.add("dismissed")
        elif event.sequence <= mark.sequence:
            # The mark keeps the id of its last event alone. A stopped subject has its dead letter already.
            if event.sequence == mark.sequence and event.id != mark.id and mark.stopped is None:
                self.intrude(record, event, f"which was taken as {mark.id}")
            else:
                tally.add("repeated")
        elif (known := waiting.get(event.sequence)) is not None:
            if (other := decode(known.record.value).id) != event.id:
                self.intrude(record, event, f"where {other} waits")
            else:
                tally.add("repeated")
        elif mark.stopped is not None or event.sequence > mark.sequence + 1:
            # `label` sets the right status when the whole batch was seen.
            self.park(key, record, event, ParkedStatus.GAP, REASONS[ParkedStatus.GAP])
        elif await self.attempt(key, record, event):
            await self.follow(key)

    async def attempt(self, key: str, record: Record, event: Event[Any]) -> bool:
        """Try the next event of its subject. Returns True when it was taken."""
        try:
            if event.id in self.dismissed:
                outcome = "dismissed"
            elif self.failure is not None:
                self.bury(key, record, event, self.failure)
                return False
            elif event.id in self.deferred:
                # Not applied: parking it must leave nothing of a half-done effect.
                raise NotYet(self.deferred[event.id])
            else:
                outcome = await self.effect.apply(event)
        except NotYet as missing:
            self.wait(key, record, event, str(missing))
            return False
        except Unreadable as error:
            if not self.effect.is_erased(event):
                self.bury(key, record, event, str(error))
                return False
            outcome = "erased"
        self.result.mark(key).move(event)
        self.count(outcome)
        return True

    def count(self, outcome: str) -> None:
        """Count a taken event. A success ends a run of failures."""
        self.result.tally.add(outcome)
        if self.left is not None:
            self.left -= 1
        # An event that nobody handles proves nothing about the service.
        if outcome == "taken":
            self.result.succeeded = True
            self.result.failures.clear()

    async def follow(self, key: str) -> None:
        """Take what is parked behind the mark, in order, as far as it goes."""
        mark, waiting = self.result.mark(key), self.result.parked.get(key, {})
        for passed in [each for each in waiting if each <= mark.sequence]:
            self.unpark(key, passed)
        while mark.stopped is None and (parked := waiting.get(mark.sequence + 1)) is not None:
            event = decode(parked.record.value)
            if self.left == 0:
                now = self.result.now
                # Stored as due, so that the next holder of the partition takes it when this copy dies now.
                due = Parked(parked.record, ParkedStatus.NOT_YET, "taken in the next transaction", now, now)
                self.keep(key, event.sequence, due)
                self.result.postponed.append(key)
                return
            if not await self.attempt(key, parked.record, event):
                return
            self.unpark(key, event.sequence)

    def wait(self, key: str, record: Record, event: Event[Any], missing: str) -> None:
        """Park an event that needs what is not there; bury it after `TRIES`."""
        known = self.result.parked.get(key, {}).get(event.sequence)
        if known is not None and known.retried and known.tries >= TRIES:
            self.bury(key, record, event, f"waited too long: not yet: {missing}")
        else:
            self.park(key, record, event, ParkedStatus.NOT_YET, missing)

    def park(self, key: str, record: Record, event: Event[Any], status: ParkedStatus, reason: str) -> None:
        """Keep it for later, after a `pause`."""
        now, known = self.result.now, self.result.parked.get(key, {}).get(event.sequence)
        waited = known if known is not None and known.retried else None
        tries = waited.tries + 1 if waited else 0
        since = waited.since if waited else now
        self.keep(key, event.sequence, Parked(record, status, reason, since, now + pause(tries), tries))
        self.result.tally.add("parked" if known is None else "still parked")

    def keep(self, key: str, sequence: int, parked: Parked) -> None:
        """Store it as parked, and the mark of its subject with it."""
        self.result.parked.setdefault(key, {})[sequence] = parked
        self.result.fresh.append((key, sequence))
        # The mark is written too, so that a redrive of this subject at the same moment conflicts.
        self.result.mark(key).dirty = True

    def unpark(self, key: str, sequence: int) -> None:
        del self.result.parked[key][sequence]
        self.result.unparked.append((key, sequence))

    def label(self, key: str) -> None:
        """Set the status of what is parked behind another event."""
        mark, waiting = self.result.mark(key), self.result.parked.get(key, {})
        status = ParkedStatus.GAP
        if mark.stopped:
            status = ParkedStatus.BEHIND_DEAD
        elif mark.sequence + 1 in waiting:
            status = ParkedStatus.BEHIND_WAITING
        for sequence, parked in waiting.items():
            if not parked.first and parked.status is not status:
                self.keep(key, sequence, replace(parked, status=status, reason=REASONS[status]))

    def bury(self, key: str, record: Record, event: Event[Any], why: str) -> None:
        """Make it a dead letter. Its subject stops, and the event stays parked as the first of it."""
        now = self.result.now
        self.result.mark(key).stop(why)
        self.keep(key, event.sequence, Parked(record, ParkedStatus.DEAD, why, now, now))
        self.result.dead.append(Dead(record, why, event))
        self.result.failures.append(event.id)
        self.result.tally.add("dead")

    def intrude(self, record: Record, event: Event[Any], what: str) -> None:
        """Stop a subject of which two events have one sequence: the consumer cannot tell which one is right."""
        if self.effect.is_erased(event):
            # The gate has taken the erasure. Nothing else about the person has an effect, whichever of the two is right.
            self.result.tally.add("erased")
            return
        why = f"another event ({event.id}) at sequence {event.sequence}, {what}"
        self.result.mark(key_of(event)).stop(why)
        self.result.dead.append(Dead(record, why, event, intruder=True))
        self.result.tally.add("conflicting")
