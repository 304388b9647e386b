"""Declarations of what the aggregates of a service hold of one person, as it is told to that person.

Invariant: each aggregate of a service has a teller, or is named as one that holds nobody; a test finds a forgotten one. A teller gives
what concerns its person alone: never the id of another one, and never what would let somebody act as the person.
"""

from collections.abc import Awaitable, Callable, Collection
from typing import Any, TypeVar

from services.kernel import Aggregate
from services.store.work import Work

Told = list[dict[str, Any]]  # documents that JSON can hold
Teller = Callable[[str, Work], Awaitable[Told]]
T = TypeVar("T", bound=Teller)


class Held:
    """Functions that tell a person what one aggregate holds of them. Each is given the person and the work, and changes nothing.
    `nobody`: aggregates that hold no person."""

    def __init__(self, nobody: Collection[type[Aggregate]] = ()) -> None:
        self.nobody = frozenset(nobody)
        self.tellers: dict[type[Aggregate], Teller] = {}

    def of(self, kind: type[Aggregate]) -> Callable[[T], T]:
        """Declare the teller of this aggregate."""

        def declare(teller: T) -> T:
            self.tellers[kind] = teller
            return teller

        return declare
