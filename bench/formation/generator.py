"""Formation problems of any size with a known answer: the members of the groups are drawn first, the rest is made so that they can meet.

Invariant: the planted answer breaks no rule, and the same number, family and seed give the same problem. In `zero_slack` every group has
15 and every facilitator must lead as many as they may. `slack` has smaller groups, and more facilitators than it takes. `infeasible` is
`zero_slack` for 85 of 100 people: since the facilitators lead no more, no answer places more people than the planted one.
"""

import math
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, get_args

from grouping.formation.model import Answer, Problem

Family = Literal["zero_slack", "slack", "infeasible"]
FAMILIES: tuple[Family, ...] = get_args(Family)

LEAST, MOST = 10, 15
SLOTS = [f"{day}-{part}" for day in ("mon", "tue", "wed", "thu", "fri") for part in ("morning", "afternoon", "evening")]
AVAILABLE = 0.3  # of the slots, on average
REACH, FACILITATORS_REACH = 35.0, 60.0  # km
ROOMS, LOAD = 2, 2
PAIRS = 0.05  # apart, and as many together, of the number of people
PLACED = 0.85  # of the people of the infeasible family
SPARE = 0.3  # facilitators of the slack family beyond those whom it takes
ROADS = 1.3  # km by road for one as the crow flies
ATTRIBUTES: dict[str, dict[str, Any]] = {
    "gender": {"kind": "nominal", "levels": ["f", "m"], "no_one_alone": True},
    "schooling": {"kind": "ordinal", "levels": ["primary", "lower", "upper", "tertiary"]},
    "age": {"kind": "ordinal", "levels": ["18-27", "28-35", "36-43", "44-51", "52-66"]},
    "out_of_work": {"kind": "ordinal", "levels": ["3", "6", "12", "18", "24", "more"]},
    "sector": {"kind": "nominal", "levels": list("abcdefgh")},
}
SHARES = {  # of the levels among the people
    "gender": [46, 54],
    "schooling": [10, 35, 40, 15],
    "age": [8, 20, 27, 25, 20],
    "out_of_work": [25, 25, 20, 12, 10, 8],
    "sector": [28, 20, 15, 12, 9, 7, 5, 4],
}


class Planted(NamedTuple):
    """A problem, and an answer to it that breaks no rule."""

    problem: Problem
    answer: Answer


@dataclass
class _Land:
    """Towns on a square that grows with the number of people, so that nobody reaches all of a large one."""

    chance: random.Random
    number: int
    points: list[tuple[float, float]] = field(default_factory=list)
    km: list[list[float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        side = 40 * math.sqrt(max(1.0, self.number / 600))
        towns = 6 + self.number // 30
        self.points = [(self.chance.uniform(0, side), self.chance.uniform(0, side)) for _ in range(towns)]
        self.km = [[round(ROADS * math.dist(one, other), 1) for other in self.points] for one in self.points]

    def near(self, town: int, km: float) -> list[int]:
        return [other for other, far in enumerate(self.km[town]) if far <= km]

    def coordinates(self) -> dict[str, tuple[float, float]]:
        return {f"m{n}": (round(45.4 + y / 111, 4), round(9.0 + x / 78, 4)) for n, (x, y) in enumerate(self.points)}


def plant(number: int, seed: int = 0, family: Family = "zero_slack") -> Planted:
    """A problem of so many people. ValueError when they cannot be split into groups of 10 to 15."""
    chance = random.Random(f"{family} {number} {seed}")  # noqa: S311  # a problem, not a secret
    land = _Land(chance, number)
    sizes = _sizes(number, family, chance)
    facilitators, groups = _meetings(land, len(sizes), family)
    people = _people(land, groups, sizes, number)
    document = {
        "size": [LEAST, MOST],
        "attributes": ATTRIBUTES,
        "slots": SLOTS,
        "municipalities": [f"m{n}" for n in range(len(land.km))],
        "km": land.km,
        "people": people,
        "facilitators": facilitators,
        "places": [{"id": f"v{town}", "municipality": f"m{town}", "rooms": ROOMS} for town in _places(land)],
        "coordinates": land.coordinates(),
        **_pairs(chance, people, groups),
    }
    return Planted(_shuffled(document, chance), _answer(groups, people))


def _sizes(number: int, family: Family, chance: random.Random) -> list[int]:
    """Sizes of the groups: full, with two that share the rest; or, for `slack`, with one or two empty seats."""
    placed = int(number * PLACED) // MOST * MOST if family == "infeasible" else number
    groups = max(1, round(placed / 13)) if family == "slack" else math.ceil(placed / MOST)
    if not groups * LEAST <= placed <= groups * MOST:
        raise ValueError(f"{number} people are no groups of {LEAST} to {MOST}")
    sizes = [MOST] * groups
    short = groups * MOST - placed
    while short:
        at = chance.choice([n for n, size in enumerate(sizes) if size > LEAST]) if family == "slack" else _last(sizes)
        sizes[at] -= 1
        short -= 1
    return sizes


def _last(sizes: list[int]) -> int:
    return max(n for n, size in enumerate(sizes) if size > LEAST)


def _places(land: _Land) -> range:
    """Towns with rooms: every third."""
    return range(0, len(land.km), 3)


def _meetings(land: _Land, number: int, family: Family) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Facilitators, each with two meetings that they reach and at which a room is free."""
    chance, used = land.chance, Counter[tuple[str, int]]()
    facilitators: list[dict[str, Any]] = []
    groups: list[dict[str, Any]] = []
    while len(groups) < number:
        leader = _facilitator(land, len(facilitators))
        for _ in range(min(LOAD, number - len(groups))):
            taken = {each["slot"] for each in groups if each["facilitator"] == leader["id"]}
            home = int(leader["municipality"][1:])
            reached = [town for town in _places(land) if land.km[home][town] <= FACILITATORS_REACH]
            free = [(s, town) for s in SLOTS for town in reached if s not in taken and used[s, town] < ROOMS]
            slot, town = chance.choice(free)
            used[slot, town] += 1
            leader["slots"] = sorted({*leader["slots"], slot}, key=SLOTS.index)
            groups.append(
                {"id": f"g{len(groups)}", "slot": slot, "place": f"v{town}", "facilitator": leader["id"], "members": []}
            )
        leader["groups"] = sum(each["facilitator"] == leader["id"] for each in groups)
        facilitators.append(leader)
    spare = math.ceil(SPARE * len(facilitators)) if family == "slack" else 0
    return facilitators + [_facilitator(land, len(facilitators) + n) for n in range(spare)], groups


def _facilitator(land: _Land, number: int) -> dict[str, Any]:
    return {
        "id": f"f{number}",
        "municipality": f"m{land.chance.choice(_places(land))}",
        "travel_km": FACILITATORS_REACH,
        "slots": sorted(land.chance.sample(SLOTS, 4), key=SLOTS.index),
        "groups": LOAD,
    }


def _people(land: _Land, groups: list[dict[str, Any]], sizes: list[int], number: int) -> list[dict[str, Any]]:
    """Members of the groups, who can come; then people for whom there is no seat."""
    people: list[dict[str, Any]] = []
    for each, size in zip(groups, sizes, strict=True):
        towns = land.near(int(each["place"][1:]), REACH)
        members = [_person(land, len(people) + n, each["slot"], towns) for n in range(size)]
        _nobody_alone(members)
        each["members"] = [member["id"] for member in members]
        people += members
    return people + [_person(land, n, None, range(len(land.km))) for n in range(len(people), number)]


def _person(land: _Land, number: int, slot: str | None, towns: Any) -> dict[str, Any]:
    chance = land.chance
    share = AVAILABLE if slot is None else (AVAILABLE * len(SLOTS) - 1) / (len(SLOTS) - 1)
    return {
        "id": f"p{number}",
        "municipality": f"m{chance.choice(towns)}",
        "travel_km": REACH,
        "slots": [each for each in SLOTS if each == slot or chance.random() < share],
        "waiting_days": chance.randrange(120),
        "attributes": {name: chance.choices(of["levels"], SHARES[name])[0] for name, of in ATTRIBUTES.items()},
    }


def _nobody_alone(members: list[dict[str, Any]]) -> None:
    """Change genders so that nobody is alone of theirs."""
    for gender in ("f", "m"):
        alike = [each for each in members if each["attributes"]["gender"] == gender]
        if len(alike) == 1:
            next(each for each in members if each not in alike)["attributes"]["gender"] = gender


def _pairs(
    chance: random.Random, people: list[dict[str, Any]], groups: list[dict[str, Any]]
) -> dict[str, list[list[str]]]:
    """Pairs kept apart, of different groups with a slot in common; wanted pairs, of one group."""
    wanted = round(PAIRS * len(people))
    group_of = {id: each["id"] for each in groups for id in each["members"]}
    apart: set[tuple[str, ...]] = set()
    together: set[tuple[str, ...]] = set()
    while len(groups) > 1 and len(apart) < wanted:
        one, other = chance.sample(people, 2)
        mixed = group_of.get(one["id"]) != group_of.get(other["id"])
        if mixed and not set(one["slots"]).isdisjoint(other["slots"]):
            apart.add(tuple(sorted((one["id"], other["id"]))))
    while len(together) < wanted:
        together.add(tuple(sorted(chance.sample(chance.choice(groups)["members"], 2))))
    return {"apart": [list(each) for each in sorted(apart)], "together": [list(each) for each in sorted(together)]}


def _shuffled(document: dict[str, Any], chance: random.Random) -> Problem:
    """The problem in random order, so that the order does not show the planted groups."""
    for what in ("people", "facilitators", "places", "apart", "together"):
        chance.shuffle(document[what])
    return Problem.model_validate(document)


def _answer(groups: list[dict[str, Any]], people: list[dict[str, Any]]) -> Answer:
    seated = {id for each in groups for id in each["members"]}
    waiting = [{"id": each["id"], "reasons": ["full"]} for each in people if each["id"] not in seated]
    return Answer.model_validate({"groups": groups, "unplaced": waiting})
