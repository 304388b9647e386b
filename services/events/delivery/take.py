"""Takes a batch of records: loads the stored state of their subjects, steps through them (see `Step`), and saves the result.

Invariants:

- Per source and subject, only the event after the mark is taken. A repeat is dropped.
- An event after a gap, or behind one that waits or is dead, is parked and follows in order.
- Another event id at the last taken sequence, or at a parked one, stops that subject.
- A dismissed event has no effect in any generation of the consumer.
- The caller's one transaction saves offsets, marks, parked events and effects, or none of them.
- Parking an event writes the mark of its subject. So a transaction that lets the subject go on conflicts with one that parks.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.contracts import Event, Unreadable, decode_from
from services.events.delivery.state import BatchResult, ConsumerState, Effect, Record, key_of, name_of
from services.events.delivery.step import Step

Reading = Callable[[str, bytes | None], Event[Any]]  # the topic and the value of a record; raises Unreadable


async def take(
    records: Sequence[Record],
    state: ConsumerState,
    effect: Effect,
    now: datetime,
    also: Collection[str] = (),
    failure: str | None = None,
    deferred: Mapping[str, str] | None = None,
    limit: int | None = None,
    *,
    reading: Reading = decode_from,
) -> BatchResult:
    """Take a batch within the transaction of `state`, and try what is parked under the keys `also`.

    `failure`: the first event that could be taken becomes a dead letter for this reason. `deferred`: reasons, by id, of events that
    are parked instead of tried. `limit`: take so many events; what would follow stays parked and is due at once. `reading`: decodes a
    record; by default an event is believed on its own topic alone. Raises Deferred when an event must be added to `deferred`.
    """
    batch = await _loaded(records, state, effect, now, also, reading)
    result, gaps = batch.result, set(batch.result.gapped())
    reach = batch.reach(batch.keys if limit is None else also, limit)
    dismissed = await state.dismissed(batch.names(reach))
    if failure is None:  # preparing may be what fails
        await effect.prepare(reach)
    step = Step(result, effect, dismissed, failure, deferred or {}, limit)
    # First what is parked: new records of the same subject come behind it.
    for key in also:
        await step.follow(key)
    for record in batch.tabulated:
        await step.tabulate(record)
    for record, event in batch.readable:
        await step.one(record, event)
    # Last, because what an event waits for depends on all records of the batch.
    for key in batch.keys:
        step.label(key)
    result.gaps = len(set(result.gapped()) - gaps)
    await state.save(result)
    return result


@dataclass(slots=True)
class _Batch:
    """The records of a batch that are not behind the stored offsets, decoded, with the stored state of their subjects."""

    result: BatchResult
    tabulated: list[Record]
    readable: list[tuple[Record, Event[Any] | Unreadable]]
    keys: set[str]

    @property
    def events(self) -> list[Event[Any]]:
        return [event for _, event in self.readable if isinstance(event, Event)]

    def reach(self, followed: Collection[str], limit: int | None) -> list[Event[Any]]:
        """The events that may take effect in this transaction."""
        going_on = [event for event in self.events if self.result.mark(key_of(event)).stopped is None]
        return going_on + self.result.followers(followed, limit)

    def names(self, reach: Sequence[Event[Any]]) -> set[str]:
        """The names under which any of it may have been dismissed."""
        no_events = [record for record, event in self.readable if isinstance(event, Unreadable)]
        named = {name_of(record, None) for record in (*self.tabulated, *no_events)}
        return named | {event.id for event in (*self.events, *reach)}


async def begin_batch(
    records: Sequence[Record], state: ConsumerState, now: datetime
) -> tuple[BatchResult, list[Record]]:
    """Begin the result of a batch, which moves the offsets. Returns it with the records that are not behind the stored offsets."""
    result = BatchResult(now)
    result.before = await state.offsets({(each.topic, each.partition) for each in records})
    # After a rebalance or a seek Kafka delivers records again that a transaction has already taken.
    ours = [each for each in records if each.offset >= result.before.get((each.topic, each.partition), 0)]
    result.tally.add("behind", len(records) - len(ours))
    result.offsets = {(each.topic, each.partition): each.offset + 1 for each in ours}
    return result, ours


async def _loaded(
    records: Sequence[Record],
    state: ConsumerState,
    effect: Effect,
    now: datetime,
    also: Collection[str],
    reading: Reading,
) -> _Batch:
    result, ours = await begin_batch(records, state, now)
    tabulated = [each for each in ours if each.topic in effect.tables]
    readable = [(each, _read(each, reading)) for each in ours if each.topic not in effect.tables]
    events = [event for _, event in readable if isinstance(event, Event)]
    keys = {key_of(event) for event in events} | set(also)
    result.marks = await state.marks(keys, {key_of(event) for event in events if event.sequence == 1})
    result.parked = await state.parked(keys)
    return _Batch(result, tabulated, readable, keys)


def _read(record: Record, reading: Reading) -> Event[Any] | Unreadable:
    try:
        return reading(record.topic, record.value)
    except Unreadable as error:
        # Returned, so that one bad record does not stop the batch.
        return error
