"""Reactions of notifications in memory: the handlers and the rules alone, without an engine."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any, TypeVar, cast

from notifications.domain import Message
from notifications.reactions import people
from services.contracts import Event
from services.contracts.base import EventData
from services.contracts.grouping import MemberJoined, MemberLeft
from services.kernel import Aggregate
from services.programmes import load_all
from services.store.work import Work

A = TypeVar("A", bound=Aggregate)
NOW = datetime(2027, 3, 2, 9, tzinfo=UTC)
LAST = date(2027, 3, 1)
SEATED = date(2027, 1, 11)
GROUP = "g1"


class Memory:
    """A `Work` that holds aggregates, and knows who consents to contact."""

    def __init__(self) -> None:
        self.held: dict[tuple[type[Aggregate], str], Aggregate] = {}
        self.rules, self.programme, self.now = load_all()["monza-brianza"], "monza-brianza", NOW
        self.cause, self.was_restored = SimpleNamespace(correlation="c"), False
        self.consents: dict[str, bool | None] = {}

    @property
    def work(self) -> Work:
        return cast("Work", self)

    def add(self, aggregate: Aggregate) -> None:
        self.held[type(aggregate), aggregate.id] = aggregate

    async def find(self, kind: type[A], id: str) -> A | None:
        return cast("A | None", self.held.get((kind, id)))

    async def where(self, kind: type[A], **fields: Any) -> list[A]:
        """Those whose stored form has these values; `seats__group` looks into each of a list."""
        found = [each for (held, _), each in self.held.items() if held is kind]
        return [cast("A", each) for each in found if all(_has(each, *pair) for pair in fields.items())]

    async def consents_to(self, person: str, _purpose: object) -> bool | None:
        return self.consents.get(person)

    async def seal(self, _person: str, _name: str, text: str) -> str:
        return f"sealed {len(text)}"

    def messages(self, *about: str) -> dict[str, str]:
        """The state of each person's message of these kinds."""
        found: Iterable[Any] = (each for (kind, _), each in self.held.items() if kind is Message)
        return {each.worker: each.status.value for each in found if each.about in about}


def _has(aggregate: Aggregate, name: str, value: Any) -> bool:
    state, (field, *inner) = aggregate.model_dump(mode="json"), name.split("__")
    return any(each[inner[0]] == value for each in state[field]) if inner else bool(state[field] == value)


def event(subject: str, data: EventData) -> Event[Any]:
    source = f"/programmes/monza-brianza/{data.topic.split('.')[1]}"
    stamp: dict[str, Any] = {"time": NOW, "recordedtime": NOW, "sequence": 1}
    return Event(
        id=f"{subject}-{type(data).__name__}", source=source, type=data.type, subject=subject, data=data, **stamp
    )


async def joins(memory: Memory, *workers: str) -> None:
    for each in workers:
        told = event(GROUP, MemberJoined(worker=each, since=SEATED))
        await people.when_somebody_has_a_seat_it_is_announced(told, memory.work)


async def leaves(memory: Memory, worker: str, since: date) -> None:
    told = event(GROUP, MemberLeft(worker=worker, since=since))
    await people.when_a_seat_is_given_up_nobody_is_called_to_it(told, memory.work)
