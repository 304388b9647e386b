"""Look-ups that both tables of reactions use."""

from typing import Any, TypeVar

from services.contracts import Event
from services.kernel import Aggregate
from services.store.work import Work

A = TypeVar("A", bound=Aggregate)


async def find_or_add(kind: type[A], id: str, work: Work) -> A:
    """The aggregate of that id, added when this event is the first about it."""
    found = await work.find(kind, id)
    if found is None:
        found = kind(id=id)
        work.add(found)
    return found


def member(event: Event[Any]) -> str:
    """The worker of a seat, before the payload is read; "" when it names none."""
    return str(event.data.get("worker", "")) if isinstance(event.data, dict) else ""
