"""Declarations of reactions and projections: tables from event types to functions. Nothing runs until a service uses them.

Invariant: a projection's row is a set of facts, keyed by their subject, replaced and never added to. So repeats, corrections and any
interleaving of topics give the same rows.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, ClassVar, Protocol, TypeVar

from services.contracts import Event, EventData, catalogue

D = TypeVar("D", bound=EventData)
Reaction = Callable[[Event[Any], Any], Awaitable[None]]
R = TypeVar("R", bound=Callable[..., Awaitable[None]])
M = TypeVar("M", bound=Callable[..., None])
Needs = Callable[[Event[Any]], Iterable[tuple[Any, str]]]
GateHandler = Callable[[str, Any], Awaitable[None]]
G = TypeVar("G", bound=Callable[..., Awaitable[None]])


def topics_of(kinds: Iterable[str]) -> list[str]:
    """Return the topics of these event types: those that their consumer reads."""
    return sorted({catalogue()[kind].topic for kind in kinds})


class Deferred(Exception):
    """A handler raised NotYet after it had changed something. The whole batch is rolled back and taken again without that event."""

    def __init__(self, event: str, why: str) -> None:
        super().__init__(f"{event}: {why}")
        self.event, self.why = event, why


class Reactions:
    """Functions that turn an event of another service into an own command.

    `needs` names the aggregates that a handler will ask for, so that one query fetches those of a whole batch. An aggregate that it
    leaves out is fetched when the handler asks for it.
    """

    def __init__(self) -> None:
        self.handlers: dict[str, list[Reaction]] = {}
        self.needs: dict[str, list[Needs]] = {}

    def on(self, kind: type[EventData], needs: Needs | None = None) -> Callable[[R], R]:
        """Declare a reaction to this type."""

        def declare(reaction: R) -> R:
            self.handlers.setdefault(kind.type, []).append(reaction)
            if needs is not None:
                self.needs.setdefault(kind.type, []).append(needs)
            return reaction

        return declare


class Holding(Protocol):
    """A collection of a room that holds something derived from people in a form that no query by their id finds.

    The room declares it at its gate. `store` and `transaction` are those of `services.store`.
    """

    collection: str

    async def forget(self, store: Any, programme: str, person: str, transaction: Any) -> None:
        """Remove everything of an erased person, in the transaction of the erasure."""

    async def count(self, store: Any, programme: str, person: str) -> int:
        """Return the number of documents that still hold something of the person."""


class Gate:
    """Functions that keep a room's state as the consents and the erasure of a person require.

    Each is given the person and the work. It asks `work.consents` and reads no event, because decisions come in any order, repeatedly,
    and one that cannot be read counts as well. So it is idempotent, does not depend on what came before, and raises no NotYet. `needs`
    names aggregates, so that one query fetches those of a whole batch. `holdings`: collections that an erasure empties of the person.
    """

    def __init__(self, holdings: Sequence[Holding] = ()) -> None:
        self.holdings = holdings
        self.handlers: dict[str, list[GateHandler]] = {}
        self.needs: dict[str, list[Callable[[str], Iterable[tuple[Any, str]]]]] = {}

    def on(
        self, kind: type[EventData], needs: Callable[[str], Iterable[tuple[Any, str]]] | None = None
    ) -> Callable[[G], G]:
        """Declare a handler for the person of `ConsentChanged` or `WorkerErased`."""

        def declare(handler: G) -> G:
            self.handlers.setdefault(kind.type, []).append(handler)
            if needs is not None:
                self.needs.setdefault(kind.type, []).append(needs)
            return handler

        return declare


class Rows(Protocol):
    """The rows of a projection, as a handler may write them."""

    def set(self, key: str, *, person: str | None = None, **facts: Any) -> None:
        """Replace these facts of the row. `person`: the erasure of this person deletes the row."""

    def drop(self, key: str) -> None:
        """Delete the row, if there is one."""


def on(*kinds: type[EventData]) -> Callable[[M], M]:
    """Mark a projection's method as the handler of these types."""

    def declare(method: M) -> M:
        method.event_types = tuple(kind.type for kind in kinds)  # type: ignore[attr-defined]  # read back by Projection
        return method

    return declare


ProjectionHandler = Callable[[Event[Any], Rows], None]
Handlers = dict[
    str, list[tuple[str, ProjectionHandler]]
]  # of several projections: by event type, with the projection's name


class Projection:
    """A read model. Subclass it and mark methods with `on`. Its rows live in the store of the service that uses it.

    `indexes` are the fields that its queries filter or sort by; several together for a list that is filtered and sorted.
    """

    name: ClassVar[str]
    indexes: ClassVar[tuple[str | tuple[str, ...], ...]] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of all indexes, each once."""
        named = (each if isinstance(each, tuple) else (each,) for each in self.indexes)
        return tuple(dict.fromkeys(field for fields in named for field in fields))

    def handlers(self) -> dict[str, ProjectionHandler]:
        """The methods by event type. TypeError when two handle one type."""
        found: dict[str, ProjectionHandler] = {}
        for attribute in dir(type(self)):
            method = getattr(self, attribute)
            for kind in getattr(method, "event_types", ()):
                if kind in found:
                    raise TypeError(f"{type(self).__name__} handles {kind} twice")
                found[kind] = method
        return found
