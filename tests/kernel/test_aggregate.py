"""An aggregate changes through its events alone: live and on replay by the same method."""

from datetime import UTC, datetime
from typing import ClassVar

from pydantic import BaseModel

from services.kernel import Aggregate, applies

AT = datetime(2027, 1, 11, 9, tzinfo=UTC)


class Opened(BaseModel):
    """A payload with a field."""

    by: str


class Closed(BaseModel):
    """A payload whose time counts."""


class Seen(BaseModel):
    """A payload that changes nothing."""


class Door(Aggregate):
    """An aggregate that is open or closed."""

    noun: ClassVar[str] = "door"
    opener: str | None = None
    closed: datetime | None = None

    @applies(Opened)
    def _opened(self, event: Opened) -> None:
        self.opener = event.by

    @applies(Closed, timed=True)
    def _closed(self, _: Closed, at: datetime | None) -> None:
        self.closed = at


class Gate(Door):
    """Inherits the methods, and has one more."""

    noun: ClassVar[str] = "gate"

    @applies(Opened)
    def _opened_wide(self, event: Opened) -> None:
        self.opener = event.by.upper()


def test_an_event_is_applied_and_recorded_live_and_applied_alone_on_replay() -> None:
    live, replayed = Door(id="d"), Door(id="d")
    live.says(Opened(by="ada"))
    live.says(Closed(), AT)
    live.says(Seen())
    for each in live._events:
        replayed.apply(each.data, each.at)
    assert replayed.model_dump() == live.model_dump() == {"id": "d", "opener": "ada", "closed": AT}
    assert [type(each.data) for each in live._events] == [Opened, Closed, Seen]
    assert replayed._events == []


def test_a_subclass_may_apply_an_event_in_its_own_way_and_leaves_the_other_as_it_was() -> None:
    gate, door = Gate(id="g"), Door(id="d")
    for each in (gate, door):
        each.says(Opened(by="ada"))
        each.says(Closed(), AT)
    assert (gate.opener, door.opener, gate.closed) == ("ADA", "ada", AT)
    assert Door.appliers != Gate.appliers


def test_aggregates_that_share_a_list_record_in_one_order() -> None:
    one, other = Door(id="1"), Door(id="2")
    one.says(Seen())
    shared: list[object] = []
    one.record_into(shared)  # type: ignore[arg-type]
    other.record_into(shared)  # type: ignore[arg-type]
    other.says(Seen())
    one.says(Seen())
    assert [each.by.id for each in shared] == ["1", "2", "1"]  # type: ignore[attr-defined]
