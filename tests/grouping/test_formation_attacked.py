"""Faultless answers of ninety people, damaged in one way each: the checker names that damage and nothing else."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from bench.formation.generator import plant
from grouping.formation import Answer, Problem, check

Document = dict[str, Any]
Damage = Callable[
    [Document, Document, random.Random], list[str]
]  # changes problem or answer, says which lines it must bring
DAMAGES: dict[str, Damage] = {}


def damage(how: Damage) -> Damage:
    DAMAGES[how.__name__.replace("_", " ")] = how
    return how


def of(document: Document, what: str, id: str) -> Document:
    return next(each for each in document[what] if each["id"] == id)


def some_seat(told: Document, chance: random.Random) -> tuple[Document, str]:
    """A group and a member."""
    group = chance.choice(told["groups"])
    return group, chance.choice(group["members"])


@damage
def somebody_is_forgotten(asked: Document, told: Document, chance: random.Random) -> list[str]:
    group, id = some_seat(told, chance)
    group["members"].remove(id)
    return [f"{id} stands in the answer 0 times", *too_small(asked, group), *alone(asked, group)]


@damage
def somebody_sits_twice(asked: Document, told: Document, chance: random.Random) -> list[str]:
    _, id = some_seat(told, chance)
    told["unplaced"].append({"id": id, "reasons": ["full"]})
    return [f"{id} stands in the answer 2 times"]


@damage
def a_stranger_waits(asked: Document, told: Document, chance: random.Random) -> list[str]:
    told["unplaced"].append({"id": "nobody-known", "reasons": ["full"]})
    return ["nobody-known is nobody"]


@damage
def a_member_lost_the_slot(asked: Document, told: Document, chance: random.Random) -> list[str]:
    group, id = some_seat(told, chance)
    of(asked, "people", id)["slots"] = [slot for slot in asked["slots"] if slot != group["slot"]]
    return [f"{id} cannot attend {group['slot']}"]


@damage
def a_member_moved_away(asked: Document, told: Document, chance: random.Random) -> list[str]:
    group, id = some_seat(told, chance)
    asked["municipalities"].append("far")
    asked["km"] = [[*row, 35.1] for row in asked["km"]] + [[35.1] * len(asked["km"]) + [0]]
    of(asked, "people", id)["municipality"] = "far"
    return [f"{id} does not reach {group['place']}"]


@damage
def a_member_cannot_climb_stairs(asked: Document, told: Document, chance: random.Random) -> list[str]:
    group, id = some_seat(told, chance)
    of(asked, "people", id)["needs_access"] = True
    return [f"{id} cannot enter {group['place']}"]


@damage
def a_member_begins_later(asked: Document, told: Document, chance: random.Random) -> list[str]:
    _, id = some_seat(told, chance)
    asked["on"] = "2026-09-01"
    of(asked, "people", id)["not_before"] = "2026-09-02"
    return [f"{id} waits until 2026-09-02"]


@damage
def two_members_quarrel(asked: Document, told: Document, chance: random.Random) -> list[str]:
    one, other = sorted(chance.sample(chance.choice(told["groups"])["members"], 2))
    asked["apart"].append([other, one])
    return [f"{one} and {other} are to be apart"]


@damage
def a_member_wants_colleagues(asked: Document, told: Document, chance: random.Random) -> list[str]:
    _, id = some_seat(told, chance)
    of(asked, "people", id).update({"company": "acme", "with": "colleagues"})
    return [f"{id} is not among colleagues alone"]


@damage
def a_member_among_colleagues_wants_others(asked: Document, told: Document, chance: random.Random) -> list[str]:
    group, id = some_seat(told, chance)
    for each in group["members"]:
        of(asked, "people", each)["company"] = "acme"
    of(asked, "people", id)["with"] = "others"
    return [f"{id} is among colleagues alone"]


@damage
def a_member_becomes_the_only_one(asked: Document, told: Document, chance: random.Random) -> list[str]:
    group, id = some_seat(told, chance)
    for each in group["members"]:
        of(asked, "people", each)["attributes"]["gender"] = "f" if each == id else "m"
    return [f"{group['id']} has one f alone (gender)"]


@damage
def the_facilitator_lost_the_slot(asked: Document, told: Document, chance: random.Random) -> list[str]:
    group = chance.choice(told["groups"])
    leader = of(asked, "facilitators", group["facilitator"])
    leader["slots"] = [slot for slot in leader["slots"] if slot != group["slot"]]
    return [f"{leader['id']} is not free in {group['slot']}"]


@damage
def the_facilitator_does_not_travel(asked: Document, told: Document, chance: random.Random) -> list[str]:
    places = {each["id"]: each["municipality"] for each in asked["places"]}
    away = [
        g for g in told["groups"] if places[g["place"]] != of(asked, "facilitators", g["facilitator"])["municipality"]
    ]
    leader = of(asked, "facilitators", chance.choice(away)["facilitator"])
    leader["travel_km"] = 0
    led = [each["place"] for each in told["groups"] if each["facilitator"] == leader["id"]]
    return sorted({f"{leader['id']} does not reach {each}" for each in led if places[each] != leader["municipality"]})


@damage
def the_facilitator_takes_one_less(asked: Document, told: Document, chance: random.Random) -> list[str]:
    leader = of(asked, "facilitators", chance.choice(told["groups"])["facilitator"])
    leader["groups"] -= 1
    return [f"{leader['id']} leads too many groups"]


@damage
def the_facilitator_is_nobody(asked: Document, told: Document, chance: random.Random) -> list[str]:
    group = chance.choice(told["groups"])
    group["facilitator"] = "f-unknown"
    return [f"{group['id']} is led by f-unknown, who is no facilitator"]


@damage
def the_facilitator_is_in_two_places_at_once(asked: Document, told: Document, chance: random.Random) -> list[str]:
    led = [[g for g in told["groups"] if g["facilitator"] == each["id"]] for each in asked["facilitators"]]
    one, other = chance.choice([groups for groups in led if len(groups) == 2])
    for id in other["members"]:
        of(asked, "people", id)["slots"].append(one["slot"])
    asked["places"] = [each | {"rooms": 9} for each in asked["places"]]
    other["slot"] = one["slot"]
    return [f"{one['facilitator']} leads more than one group in {one['slot']}"]


@damage
def the_rooms_are_let(asked: Document, told: Document, chance: random.Random) -> list[str]:
    group = chance.choice(told["groups"])
    place = of(asked, "places", group["place"])
    place["rooms"] = 0
    held = [each["slot"] for each in told["groups"] if each["place"] == place["id"]]
    return sorted(
        f"{place['id']} has too few rooms in {slot}" + (f" (by {held.count(slot)})" if held.count(slot) > 1 else "")
        for slot in set(held)
    )


@damage
def the_place_is_nowhere(asked: Document, told: Document, chance: random.Random) -> list[str]:
    group = chance.choice(told["groups"])
    group["place"] = "v-unknown"
    return [f"{group['id']} meets at v-unknown, which is no place"]


@damage
def groups_are_to_be_smaller(asked: Document, told: Document, chance: random.Random) -> list[str]:
    sizes = [len(each["members"]) for each in told["groups"]]
    asked["size"] = [10, max(sizes) - 1]
    return [f"{each['id']} has too many members" for each in told["groups"] if len(each["members"]) == max(sizes)]


@damage
def groups_are_to_be_larger(asked: Document, told: Document, chance: random.Random) -> list[str]:
    asked["size"] = [min(len(each["members"]) for each in told["groups"]) + 1, 20]
    return [line for each in told["groups"] for line in too_small(asked, each)]


@damage
def two_groups_have_one_name(asked: Document, told: Document, chance: random.Random) -> list[str]:
    one, other = chance.sample(told["groups"], 2)
    one["id"] = other["id"]
    return [f"2 groups are called {other['id']}"]


@damage
def a_frozen_seat_is_given_away(asked: Document, told: Document, chance: random.Random) -> list[str]:
    group, id = some_seat(told, chance)
    asked["frozen"] = [group | {"members": list(group["members"])}]
    group["members"].remove(id)
    told["unplaced"].append({"id": id, "reasons": ["full"]})
    return [f"frozen group {group['id']} lost {id}", *too_small(asked, group), *alone(asked, group)]


@damage
def a_frozen_group_is_dissolved(asked: Document, told: Document, chance: random.Random) -> list[str]:
    group = chance.choice(told["groups"])
    asked["frozen"] = [group]
    told["groups"].remove(group)
    told["unplaced"] += [{"id": id, "reasons": ["full"]} for id in group["members"]]
    return [f"frozen group {group['id']} is gone"]


def too_small(asked: Document, group: Document) -> list[str]:
    few = asked["size"][0] - len(group["members"])
    return [f"{group['id']} has too few members" + (f" (by {few})" if few > 1 else "")] if few > 0 else []


def alone(asked: Document, group: Document) -> list[str]:
    found = [of(asked, "people", id)["attributes"]["gender"] for id in group["members"]]
    return [f"{group['id']} has one {level} alone (gender)" for level in "fm" if found.count(level) == 1]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", DAMAGES)
def test_the_damage_is_named_and_nothing_else(kind: str, seed: int) -> None:
    problem, answer = plant(90, seed, "slack" if seed else "zero_slack")
    asked, told = problem.model_dump(mode="json", by_alias=True), answer.model_dump(mode="json")
    lines = DAMAGES[kind](asked, told, random.Random(seed))
    assert lines, "this damage damages nothing"
    assert sorted(check(Problem.model_validate(asked), Answer.model_validate(told))) == sorted(lines)
