"""What both tables of reactions use: an aggregate that begins with the first word of it."""

from typing import Any, TypeVar

from services.contracts import Event
from services.kernel import Aggregate
from services.store.work import Work

A = TypeVar("A", bound=Aggregate)


async def known_as(kind: type[A], id: str, work: Work) -> A:
    """The aggregate of that id, new when this is the first word of it."""
    found = await work.find(kind, id)
    if found is None:
        found = kind(id=id)
        work.add(found)
    return found


async def keep(kind: type[A], id: str, work: Work, **told: Any) -> None:
    """What was told counts, also when it was told otherwise before."""
    card = await work.find(kind, id)
    if card is None:
        work.add(kind(id=id, **told))
        return
    for name, value in told.items():
        setattr(card, name, value)


def member(event: Event[Any]) -> str:
    """The worker whom a seat concerns, before the payload is read; "" when it names none."""
    return str(event.data.get("worker", "")) if isinstance(event.data, dict) else ""
