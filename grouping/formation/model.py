"""A formation problem and its answer, as JSON has them.

Invariant: a validated problem names only people, places, slots and levels that it defines, and each id once.
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

Change = Literal["slot", "facilitator_slot", "room", "travel_km"]


class Part(BaseModel):
    """Base of all parts of a problem or an answer. Refuses unknown members, infinities and NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Attribute(Part):
    """A property in which people differ. `no_one_alone`: no level may have exactly one member in a group."""

    kind: Literal["nominal", "ordinal"]
    levels: tuple[str, ...] = Field(min_length=1)
    weight: float = Field(default=1, ge=0)
    no_one_alone: bool = False


class Person(Part):
    """A person who wants a seat, or has one in a frozen group."""

    id: str
    municipality: str
    travel_km: float = Field(ge=0)
    slots: tuple[str, ...]
    waiting_days: int = Field(default=0, ge=0)
    attributes: dict[str, str | None] = {}  # None or missing: not known
    company: str | None = None
    with_: Literal["colleagues", "others"] | None = Field(default=None, alias="with")
    needs_access: bool = False
    not_before: date | None = None


class Facilitator(Part):
    """A person who can lead up to `groups` groups, frozen ones included."""

    id: str
    municipality: str
    travel_km: float = Field(ge=0)
    slots: tuple[str, ...]
    groups: int = Field(ge=0)


class Place(Part):
    """A place with so many rooms; `access`: step-free."""

    id: str
    municipality: str
    rooms: int = Field(ge=0)
    access: bool = False


class Frozen(Part):
    """A group that meets already: keeps slot, place, facilitator and members."""

    id: str = Field(min_length=1)
    slot: str
    place: str
    facilitator: str
    members: tuple[str, ...]


class Problem(Part):
    """The whole input of the search. `km[a][b]`: between municipalities, by their positions."""

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
        if not 1 <= self.size[0] <= self.size[1]:
            raise ValueError("size: not from at least 1 to at least as many")
        if not self.slots:
            raise ValueError("slots: empty, so that nobody could ever meet")
        for what, ids in (
            ("people[{}].id", [each.id for each in self.people]),
            ("facilitators[{}].id", [each.id for each in self.facilitators]),
            ("places[{}].id", [each.id for each in self.places]),
            ("frozen[{}].id", [each.id for each in self.frozen]),
            ("slots[{}]", self.slots),
            ("municipalities[{}]", self.municipalities),
            *((f"attributes.{name}.levels[{{}}]", each.levels) for name, each in self.attributes.items()),
        ):
            _each_once((what.format(at), id) for at, id in enumerate(ids))
        for at, person in enumerate(self.people):
            self._person(f"people[{at}]", person)
        for at, facilitator in enumerate(self.facilitators):
            _known(f"facilitators[{at}].slots", facilitator.slots, self.slots)
            _known(f"facilitators[{at}].municipality", [facilitator.municipality], self.municipalities)
        for at, place in enumerate(self.places):
            _known(f"places[{at}].municipality", [place.municipality], self.municipalities)
        self._pairs_and_groups()
        return self

    def _person(self, path: str, person: Person) -> None:
        _known(f"{path}.slots", person.slots, self.slots)
        _known(f"{path}.municipality", [person.municipality], self.municipalities)
        _known(f"{path}.attributes", person.attributes, self.attributes)
        for name, level in person.attributes.items():
            if level is not None:
                _known(f"{path}.attributes.{name}", [level], self.attributes[name].levels)
        if person.not_before is not None and self.on is None:
            raise ValueError(f"{path}.not_before: the problem does not say on which day it is (on)")

    def _pairs_and_groups(self) -> None:
        people = {each.id for each in self.people}
        for what, pairs in (("apart", self.apart), ("together", self.together)):
            for at, pair in enumerate(pairs):
                _known(f"{what}[{at}]", pair, people)
                if pair[0] == pair[1]:
                    raise ValueError(f"{what}[{at}]: {pair[0]} and nobody else")
        for at, group in enumerate(self.frozen):
            _known(f"frozen[{at}].members", group.members, people)
            _known(f"frozen[{at}].place", [group.place], {each.id for each in self.places})
            _known(f"frozen[{at}].facilitator", [group.facilitator], {each.id for each in self.facilitators})
            _known(f"frozen[{at}].slot", [group.slot], self.slots)
        _each_once((f"frozen[{at}].members", each) for at, group in enumerate(self.frozen) for each in group.members)
        _known("coordinates", self.coordinates, self.municipalities)
        side = len(self.municipalities)
        if len(self.km) != side or any(len(row) != side for row in self.km):
            raise ValueError(f"km: not {side} rows of {side}")
        for a, row in enumerate(self.km):
            for b, km in enumerate(row):
                if km < 0:
                    raise ValueError(f"km[{a}][{b}]: less than none")


class Group(Part):
    """A group of the answer: a frozen one, or a new one."""

    id: str
    slot: str
    place: str
    facilitator: str
    members: tuple[str, ...]


class Help(Part):
    """One change that would let `places` people be placed. `of`: the facilitator or place; None means the unplaced person."""

    change: Change
    to: str | float
    of: str | None = None
    places: int = Field(default=1, ge=1)


class Unplaced(Part):
    """A person who waits on, with the reasons and the changes that would help."""

    id: str
    reasons: tuple[Reason, ...]
    helps: tuple[Help, ...] = ()


class Score(Part):
    """The figures of an answer. `diversity` cannot exceed `bound`, which is None when it was not computed."""

    placed: int
    diversity: float
    together: int
    bound: float | None = None


class Answer(Part):
    """Every person once, in a group or unplaced. `defects`: rules that the search broke, for which people were taken out again."""

    groups: tuple[Group, ...]
    unplaced: tuple[Unplaced, ...]
    score: Score | None = None
    seed: int = 0
    seconds: float | None = None
    defects: tuple[str, ...] | None = None


def _each_once(ids: Iterable[tuple[str, str]]) -> None:
    """Refuse an id that stands in two places. Given: (path, id)."""
    seen: dict[str, str] = {}
    for path, id in ids:
        if id in seen:
            raise ValueError(f"{path}: {id} stands there twice, first in {seen[id]}")
        seen[id] = path


def _known(path: str, names: Iterable[str], defined: Iterable[str]) -> None:
    if unknown := sorted(set(names) - set(defined)):
        raise ValueError(f"{path}: {unknown[0]} is not defined")
