"""Gives a record up without reading it: the last resort, when burying the event that it holds has failed as well.

Invariant: nothing of the record is parsed, so no content of a record can stop a consumer for ever.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from services.events.delivery.state import BatchResult, ConsumerState, Dead, Effect, Record
from services.events.delivery.take import begin_batch


async def bury_unread(  # as `services.events.delivery.take.take`, in whose place it stands
    records: Sequence[Record],
    state: ConsumerState,
    effect: Effect,  # noqa: ARG001
    now: datetime,
    also: Collection[str] = (),  # noqa: ARG001
    failure: str | None = None,
    deferred: Mapping[str, str] | None = None,  # noqa: ARG001
    limit: int | None = None,  # noqa: ARG001
) -> BatchResult:
    """Make dead letters of these records and move the offsets behind them. Their subjects wait for them, as for a missing event."""
    result, ours = await begin_batch(records, state, now)
    for record in ours:
        dead = Dead(record, f"{failure}, also when it was given up")
        result.dead.append(dead)
        result.failures.append(dead.name)
        result.tally.add("dead")
    await state.save(result)
    return result
