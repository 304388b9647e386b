"""Guarantees broken on purpose, in the processes that a campaign starts: `python -m tests.system.chaos.breaches NAME serve …`.

The oracle has to find each of them. Nothing in the services knows of this: functions are replaced before the command runs.
"""

import sys
import uuid
from typing import Any

from services.cli import main
from services.contracts import Event
from services.events.bus.client import Bus
from services.events.delivery.state import key_of
from services.events.delivery.step import Step
from services.store.mongo import Store
from services.store.unit import Unit


def replace(owner: type, name: str, by: Any) -> None:
    """Replace a method in this process, from now on."""
    setattr(owner, name, by)


def mark() -> None:
    """Break the inbox mark: a repeated event takes effect again."""
    one = Step.one

    async def forgetful(step: Step, record: Any, event: Any) -> None:
        if isinstance(event, Event):
            mark = step.result.mark(key_of(event))
            mark.sequence = min(mark.sequence, event.sequence - 1)
        await one(step, record, event)

    replace(Step, "one", forgetful)


def fencing() -> None:
    """Break fencing: every producer has a transactional id of its own, so that no successor fences it."""
    producer = Bus.producer

    def unfenced(bus: Bus, transactional_id: str) -> Any:
        return producer(bus, f"{transactional_id}.{uuid.uuid4().hex}")

    replace(Bus, "producer", unfenced)


def guard() -> None:
    """Break the guard: an aggregate that was only read is not written."""
    flush = Unit.flush

    async def unguarded(unit: Unit, silently: bool = False) -> int:
        recorded = {id(each.recorded.by) for each in unit._attributed}
        for held in unit._held.values():
            held.guarded = held.guarded and not (held.version and id(held.aggregate) not in recorded)
        return await flush(unit, silently)

    replace(Unit, "flush", unguarded)


def transaction() -> None:
    """Break the transaction: each write commits alone."""

    async def bare(store: Store, body: Any) -> Any:
        async with store.driver_session() as session:
            return await body(session)

    replace(Store, "_once", bare)


BREACHES = {each.__name__: each for each in (mark, fencing, guard, transaction)}

if __name__ == "__main__":
    BREACHES[sys.argv.pop(1)]()
    main()
