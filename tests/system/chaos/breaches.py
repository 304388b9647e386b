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
from services.events.inbox.memory import Memory, Remembered
from services.events.inbox.progress import Progress
from services.events.inbox.state import Inbox
from services.store.mongo import Store, UpdateOne
from services.store.register import ErasedRegister, Everybody
from services.store.unit import Unit
from tests.helpers.last_writes import write_now


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
            result = await body(session)
            await write_now(store, session)
            return result

    replace(Store, "_once", bare)


def stale_mark_cache() -> None:
    """Break the memory of marks: a consumer goes on with those that it remembers after a conflict, and after an assignment."""
    lend = Memory.lend

    def leaky(memory: Memory) -> Remembered:
        lent = lend(memory)
        memory._kept.marks = lent.marks
        return lent

    def forget(memory: Memory) -> None:
        memory._kept = memory._lent = Remembered(marks=memory._kept.marks)

    replace(Memory, "lend", leaky)
    replace(Memory, "forget", forget)
    replace(Remembered, "clear", lambda known: known.versions.clear())


def stale_erased_cache() -> None:
    """Break the memory of the register: a consumer goes on with the one that it has read first."""
    read: dict[int, Everybody] = {}
    among = ErasedRegister.among

    async def stale(register: ErasedRegister, ids: Any) -> set[str]:
        if register._remembers:
            register.everybody = read.get(id(register._store), register.everybody)
        found = await among(register, ids)
        if register.everybody is not None:
            read.setdefault(id(register._store), register.everybody)
        return found

    replace(ErasedRegister, "among", stale)


def stale_fence() -> None:
    """Break the version: an offset moves whatever its fence is, as if nobody but the consumers changed what they remember."""
    move = Inbox._move

    def unfenced(inbox: Inbox, result: Any, partition: Any) -> Any:
        moved = move(inbox, result, partition)
        if not isinstance(moved, UpdateOne):
            return moved
        return UpdateOne({name: each for name, each in moved._filter.items() if name != "fence"}, moved._doc)

    replace(Inbox, "_move", unfenced)


def early_progress() -> None:
    """Break the order behind the gate: reactions take every record as if the gate had taken it."""

    async def at_once(progress: Progress, *_: Any) -> None:
        """Let every record pass."""

    replace(Progress, "wait_for", at_once)


PLANTED = (
    mark, fencing, guard, transaction, stale_mark_cache, stale_erased_cache, stale_fence, early_progress,
)  # fmt: skip
BREACHES = {each.__name__.replace("_", "-"): each for each in PLANTED}

if __name__ == "__main__":
    BREACHES[sys.argv.pop(1)]()
    main()
