"""A `Work` in memory, for handlers that find, add and ask for aggregates and nothing else: no engine, no keys."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from services.contracts import Event
from services.contracts.base import EventData
from services.kernel import Aggregate, Refusal, Refused
from services.programmes import Programme, load_all
from services.store.work import Work

A = TypeVar("A", bound=Aggregate)
PROGRAMME = "monza-brianza"
AT = datetime(2027, 1, 11, 9, tzinfo=UTC)


class Memory:
    """Aggregates by class and id, the programme's rules, and a time in the world."""

    def __init__(self, *aggregates: Aggregate, at: datetime = AT) -> None:
        self.held: dict[tuple[type[Aggregate], str], Aggregate] = {}
        self.rules: Programme = load_all()[PROGRAMME]
        self.programme, self.at = PROGRAMME, at
        for each in aggregates:
            self.add(each)

    @property
    def work(self) -> Work:
        return cast("Work", self)

    def add(self, aggregate: Aggregate) -> None:
        self.held[type(aggregate), aggregate.id] = aggregate

    def remove(self, aggregate: Aggregate) -> None:
        del self.held[type(aggregate), aggregate.id]

    async def find(self, kind: type[A], id: str) -> A | None:
        return cast("A | None", self.held.get((kind, id)))

    async def get(self, kind: type[A], id: str) -> A:
        found = await self.find(kind, id)
        if found is None:
            raise Refused(f"no-such-{kind.noun}", id, Refusal.NOT_FOUND)
        return found

    async def refusing(self, _people: Iterable[str], _purpose: object) -> set[str]:
        """The people here have all consented."""
        return set()

    def version(self, _aggregate: Aggregate) -> int:
        """Nothing here is stored."""
        return 1

    async def where(self, kind: type[A], **fields: Any) -> list[A]:
        """Every aggregate of the class: the handlers under test are right whatever else they are given."""
        assert fields
        return [cast("A", each) for (held, _), each in self.held.items() if held is kind]


def event(subject: str, data: EventData, time: datetime = AT) -> Event[Any]:
    """An event as a consumer of this service is given it."""
    return Event(
        id=f"{subject}-{type(data).__name__}",
        source=f"/programmes/{PROGRAMME}/grouping",
        type=data.type,
        subject=subject,
        time=time,
        recordedtime=time,
        sequence=1,
        data=data,
    )


def recorded(aggregate: Aggregate) -> list[Event[Any]]:
    """The events that an aggregate recorded, in order."""
    said: Iterable[Any] = aggregate._events
    return [event(aggregate.id, each.data, each.at or AT) for each in said]
