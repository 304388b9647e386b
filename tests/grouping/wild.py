"""Random problems of formation by number, and a search among them for an answer that breaks a rule.

`python -m tests.grouping.wild --minutes 60 --first 0` solves problem after problem. It names each one whose answer breaks a rule, or that
ends in an error. Invariant: a number and a kind give the same problem everywhere.
"""

import argparse
import random
import time
from collections.abc import Iterator
from typing import Any

from grouping.formation import Answer, Problem, advise, check
from grouping.formation.exact import PEOPLE
from tests.helpers.problems import person

SLOTS = ["a", "b", "c"]
STEPS = 3000


def wild(number: int) -> Problem:
    """The problem of this number: few or many people, groups that meet below, at and above their size, and every rule at once."""
    chance = random.Random(number)
    least = chance.choice([1, 2, 2, 3, 3, 4])
    size = (least, least + chance.randrange(3))
    many = chance.random() < 0.6
    count = chance.randint(PEOPLE + 2, PEOPLE + 24) if many else chance.randint(0, 14)
    people = [_person(chance, n) for n in range(count)]
    towns = ["x", "y"]
    facilitators = [
        {
            "id": f"f{n}",
            "municipality": chance.choice(towns),
            "travel_km": chance.choice([5, 50, 50]),
            "slots": chance.sample(SLOTS, chance.randint(1, 3)),
            "groups": chance.randrange(4),
        }
        for n in range(chance.randint(1, 5))
    ]
    places = [
        {"id": f"v{n}", "municipality": towns[n], "rooms": chance.randrange(4), "access": n == 0} for n in range(2)
    ]
    return Problem.model_validate(
        {
            "size": size,
            "on": "2026-09-01",
            "attributes": {
                "gender": {"kind": "nominal", "levels": ["f", "m", "x"], "no_one_alone": chance.random() < 0.7},
                "age": {
                    "kind": "ordinal",
                    "levels": ["1", "2", "3"],
                    "weight": 2,
                    "no_one_alone": chance.random() < 0.4,
                },
            },
            "slots": SLOTS,
            "municipalities": towns,
            "km": [[0, 10], [10, 0]],
            "people": people,
            "facilitators": facilitators,
            "places": places,
            "apart": _pairs(chance, people),
            "together": _pairs(chance, people),
            "frozen": list(_frozen(chance, people, size, facilitators)),
        }
    )


def _person(chance: random.Random, number: int) -> dict[str, Any]:
    return person(
        number,
        municipality=chance.choice("xxy"),
        travel_km=chance.choice([0, 20, 20, 20]),
        slots=chance.sample(SLOTS, chance.choice([0, 1, 1, 2, 2, 3])),
        waiting_days=chance.randrange(9),
        attributes={
            "gender": chance.choice(["f", "f", "m", "m", "x", None]),
            "age": chance.choice(["1", "2", "3", None]),
        },
        company=chance.choice(["acme", "acme", "bolt", "", None, None]),
        needs_access=chance.random() < 0.15,
        not_before=chance.choice([None, None, None, None, "2026-08-01", "2026-10-01"]),
        **{"with": chance.choice(["colleagues", "others", "others", None, None])},
    )


def _pairs(chance: random.Random, people: list[dict[str, Any]]) -> list[list[str]]:
    ids = [each["id"] for each in people]
    return [chance.sample(ids, 2) for _ in range(chance.randrange(3 + len(ids) // 2))] if len(ids) > 1 else []


def _frozen(
    chance: random.Random, people: list[dict[str, Any]], size: tuple[int, int], facilitators: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Up to three groups that meet: below, at and above their size, whichever rules they break already."""
    ids = [each["id"] for each in people]
    for number in range(chance.choice([0, 1, 1, 2, 3])):
        sitting = chance.choice([0, 1, max(0, size[0] - 1), size[0], size[1], size[1] + 1])
        members, ids = ids[:sitting], ids[sitting:]
        leader = chance.choice(facilitators)["id"]
        yield {
            "id": f"g{number}",
            "slot": chance.choice(SLOTS),
            "place": chance.choice(["v0", "v1"]),
            "facilitator": leader,
            "members": members,
        }


def faults(asked: Problem, found: Answer) -> list[str]:
    """Broken rules, those that were taken out of the answer, and people without a reason."""
    silent = [f"{each.id} is told no reason" for each in found.unplaced if not each.reasons]
    return [*check(asked, found), *(found.defects or ()), *silent]


def judged(number: int) -> list[str]:
    """The faults of the answer to this problem, and of the answer with advice."""
    from grouping.formation import solve

    asked = wild(number)
    try:
        found = solve(asked, number % 7, steps=STEPS)
        told = faults(asked, found)
        return told or (faults(asked, advise(asked, found, seconds=1)) if number % 5 == 0 else [])
    except Exception as error:  # noqa: BLE001  # an error is a finding as well, and the search goes on
        return [f"{type(error).__name__}: {error}"]


def main() -> None:
    """Search for so many minutes, and say how many problems were solved and how many answers had a fault."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--minutes", type=float, default=60)
    asked.add_argument("--first", type=int, default=0)
    options = asked.parse_args()
    until, number, broken = time.monotonic() + 60 * options.minutes, options.first, 0
    while time.monotonic() < until:
        if found := judged(number):
            broken += 1
            print(f"problem {number}: {'; '.join(found)}", flush=True)
        number += 1
        if number % 500 == 0:
            print(f"{number - options.first} problems, {broken} with a fault", flush=True)
    print(f"{number - options.first} problems, {broken} with a fault", flush=True)


if __name__ == "__main__":
    main()
