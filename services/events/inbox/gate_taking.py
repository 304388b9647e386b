"""Takes the records of the gate in any order: no marks, no gaps, nothing behind anything.

Invariants: a failing event is a dead letter of the gate alone, with its state kept, and no other event waits for it. The caller's one
transaction saves offsets, parked events and effects, or none of them. An event is parked only until its programme is known, or because an
operator let it be tried again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.events.delivery.declare import Deferred
from services.events.delivery.state import (
    BatchResult,
    ConsumerState,
    Dead,
    Parked,
    ParkedStatus,
    Record,
    key_of,
    name_of,
)
from services.events.delivery.step import TRIES, pause
from services.events.delivery.take import begin_batch
from services.events.inbox.gate import Gated, GateEffect, gated
from services.kernel import NotYet


async def take_in_any_order(  # as `services.events.delivery.take.take`, in whose place it stands
    records: Sequence[Record],
    state: ConsumerState,
    effect: GateEffect,
    now: datetime,
    also: Collection[str] = (),
    failure: str | None = None,
    deferred: Mapping[str, str] | None = None,
    limit: int | None = None,
) -> BatchResult:
    """Take a batch within the transaction of `state`, and what is parked under the keys `also`. The arguments are those of `take`."""
    result, ours = await begin_batch(records, state, now)
    result.parked = await state.parked(also)
    due = [each.record for waiting in result.parked.values() for _, each in sorted(waiting.items()) if each.retried]
    taken, later = [*due, *ours][:limit], [*due, *ours][limit:] if limit is not None else []
    found = [(record, each) for record in taken if (each := gated(record.value, now)) is not None]
    result.tally.add("ignored", len(taken) - len(found))
    result.postponed = sorted(
        {key_of(each.event) for record in later if (each := gated(record.value, now)) and each.event}
    )
    dismissed = await state.dismissed({name_of(record, each.event) for record, each in found})
    step = _Step(result, effect, dismissed, failure, deferred or {})
    if failure is None:  # preparing may be what fails
        await effect.prepare([each for _, each in found if each.person])
    for record, each in found:
        await step.one(record, each)
    await state.save(result)
    return result


@dataclass(slots=True)
class _Step:
    """The events of one batch, one after the other."""

    result: BatchResult
    effect: GateEffect
    dismissed: Mapping[str, bool]
    failure: str | None
    deferred: Mapping[str, str]

    async def one(self, record: Record, each: Gated) -> None:
        """Keep the state, then run the handlers; or give the event up, or park it."""
        if name_of(record, each.event) in self.dismissed:
            self.finish(each, "dismissed")
            return
        if not each.person:
            self.bury(record, each, each.why or "subject: missing")
            return
        alone = await self.effect.keep(each)
        if not each.erases and self.effect.is_erased(each):
            self.finish(each, "erased")
        elif self.failure is not None:
            self.bury(record, each, self.failure)
            self.result.failures.append(name_of(record, each.event))
        elif each.event is not None and (missing := self.deferred.get(each.event.id)) is not None:
            self.wait(record, each, missing)
        else:
            outcome = await self.handled(each)
            if each.why is not None or not alone:
                self.bury(record, each, each.why or "sequence: another event has it", intruder=not alone)
            else:
                self.result.succeeded = self.result.succeeded or outcome == "taken"
                self.finish(each, outcome)

    async def handled(self, each: Gated) -> str:
        """Run the handlers. Deferred when they cannot run yet, since they may have changed something."""
        try:
            return await self.effect.handle(each)
        except NotYet as missing:
            if each.event is None:
                return "elsewhere"  # nothing by which it could be parked; it becomes a dead letter
            raise Deferred(each.event.id, str(missing)) from missing

    def finish(self, each: Gated, outcome: str) -> None:
        """Count it; it waits no more, if it did."""
        self.result.tally.add(outcome)
        if each.event is not None:
            key, sequence = key_of(each.event), each.sequence
            if self.result.parked.get(key, {}).pop(sequence, None) is not None:
                self.result.unparked.append((key, sequence))

    def bury(self, record: Record, each: Gated, why: str, *, intruder: bool = False) -> None:
        """Make it a dead letter. Nothing waits behind it."""
        self.result.dead.append(Dead(record, why, each.event, intruder))
        self.finish(each, "dead")

    def wait(self, record: Record, each: Gated, missing: str) -> None:
        """Park it until its next try; bury it after `TRIES`."""
        assert each.event is not None  # only an event is deferred
        key, now = key_of(each.event), self.result.now
        known = self.result.parked.get(key, {}).get(each.sequence)
        tries = known.tries + 1 if known else 0
        if tries > TRIES:
            self.bury(record, each, f"waited too long: not yet: {missing}")
            return
        since = known.since if known else now
        parked = Parked(record, ParkedStatus.NOT_YET, missing, since, now + pause(tries), tries)
        self.result.parked.setdefault(key, {})[each.sequence] = parked
        self.result.fresh.append((key, each.sequence))
        self.result.tally.add("parked" if known is None else "still parked")
