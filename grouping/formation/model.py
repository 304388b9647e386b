"""A formation problem and its answer, as JSON has them.

Invariant: a problem that validates names nobody, no place and no slot that it does not define, and nobody twice.
"""

from collections.abc import Iterable
from datetime import date
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Reason = Literal[
    "no_slot_in_reach",
    "no_place_in_reach",
    "no_facilitator",
    "no_room",
    "apart",
    "alone",
    "too_few_colleagues",
    "not_before",
    "full",
]


class Part(BaseModel):
    """Unknown members and infinities are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Attribute(Part):
    """What people differ in. `no_one_alone`: no level may have exactly one member in a group."""

    kind: Literal["nominal", "ordinal"]
    levels: tuple[str, ...] = Field(min_length=1)
    weight: float = Field(default=1, ge=0)
    no_one_alone: bool = False


class Person(Part):
    """Somebody who wants a seat."""

    id: str
    municipality: str
    travel_km: float = Field(ge=0)
    slots: tuple[str, ...]
    waiting_days: int = Field(default=0, ge=0)
    attributes: dict[str, str] = {}
    company: str | None = None
    with_: Literal["colleagues", "others"] | None = Field(default=None, alias="with")
    needs_access: bool = False
    not_before: date | None = None


class Facilitator(Part):
    """Somebody who leads so many groups."""

    id: str
    municipality: str
    travel_km: float = Field(ge=0)
    slots: tuple[str, ...]
    groups: int = Field(ge=0)


class Place(Part):
    """Rooms at a place."""

    id: str
    municipality: str
    rooms: int = Field(ge=0)
    access: bool = False


class Frozen(Part):
    """A group that meets already: keeps slot, place, facilitator and members."""

    id: str
    slot: str
    place: str
    facilitator: str
    members: tuple[str, ...]


class Problem(Part):
    """Everything the search may know. `km[a][b]` between municipalities by their position."""

    size: tuple[int, int]
    attributes: dict[str, Attribute] = {}
    slots: tuple[str, ...]
    municipalities: tuple[str, ...]
    km: tuple[tuple[float, ...], ...]
    people: tuple[Person, ...] = ()
    facilitators: tuple[Facilitator, ...] = ()
    places: tuple[Place, ...] = ()
    apart: tuple[tuple[str, str], ...] = ()
    together: tuple[tuple[str, str], ...] = ()
    frozen: tuple[Frozen, ...] = ()
    on: date | None = None
    coordinates: dict[str, tuple[float, float]] = {}

    @model_validator(mode="after")
    def _names_only_what_it_defines(self) -> Self:
        for what, ids in (("people", self.people), ("facilitators", self.facilitators), ("places", self.places)):
            _each_once(what, [each.id for each in ids])
        people = {each.id for each in self.people}
        for at, person in enumerate(self.people):
            _known(f"people[{at}].slots", person.slots, self.slots)
            _known(f"people[{at}].municipality", [person.municipality], self.municipalities)
        for at, pair in enumerate(self.apart):
            _known(f"apart[{at}]", pair, people)
        for at, pair in enumerate(self.together):
            _known(f"together[{at}]", pair, people)
        for at, group in enumerate(self.frozen):
            _known(f"frozen[{at}].members", group.members, people)
            _known(f"frozen[{at}].place", [group.place], {each.id for each in self.places})
            _known(f"frozen[{at}].facilitator", [group.facilitator], {each.id for each in self.facilitators})
            _known(f"frozen[{at}].slot", [group.slot], self.slots)
        _each_once("frozen", [member for group in self.frozen for member in group.members])
        side = len(self.municipalities)
        if len(self.km) != side or any(len(row) != side for row in self.km):
            raise ValueError(f"km: not {side} rows of {side}")
        return self


class Group(Part):
    """A group of the answer."""

    id: str
    slot: str
    place: str
    facilitator: str
    members: tuple[str, ...]


class Unplaced(Part):
    """Somebody who waits on, and why."""

    id: str
    reasons: tuple[Reason, ...]


class Answer(Part):
    """Everybody once, in a group or unplaced."""

    groups: tuple[Group, ...]
    unplaced: tuple[Unplaced, ...]
    seed: int = 0


def _each_once(what: str, ids: list[str]) -> None:
    seen: set[str] = set()
    for id in ids:
        if id in seen:
            raise ValueError(f"{what}: {id} stands there twice")
        seen.add(id)


def _known(path: str, names: Iterable[str], defined: Iterable[str]) -> None:
    if unknown := sorted(set(names) - set(defined)):
        raise ValueError(f"{path}: {unknown[0]} is not defined")
