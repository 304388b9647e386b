"""`python -m tests.grouping.shapes`: solves problems of many shapes, and names every loop that had to be compiled for one of them.

Invariant: nothing is printed when all loops were found in the cache.
"""

import sys
from collections.abc import Iterator
from typing import Any

from numba.core.dispatcher import Dispatcher

from grouping.formation import Problem, advise, explanations, solve
from grouping.formation.__main__ import tiny
from tests.grouping.wild import wild
from tests.helpers.problems import person

STEPS = 300
WILD = 60  # random problems: few and many people, pairs, groups that meet, companies


def twelve(slots: int, facilitators: int, places: int) -> Problem:
    """Twelve people who make one group, with so many slots, facilitators and places."""
    names = [f"s{number}" for number in range(slots)]
    leader = {"municipality": "x", "travel_km": 50, "slots": names, "groups": 2}
    return Problem.model_validate(
        {
            "size": [10, 15],
            "attributes": {"gender": {"kind": "nominal", "levels": ["f", "m"], "no_one_alone": True}},
            "slots": names,
            "municipalities": ["x", "y"],
            "km": [[0, 10], [10, 0]],
            "people": [
                person(n, municipality="xy"[n % 2], travel_km=20, slots=names, attributes={"gender": "fm"[n % 2]})
                for n in range(12)
            ],
            "facilitators": [{**leader, "id": f"f{n}"} for n in range(facilitators)],
            "places": [{"id": f"v{n}", "municipality": "xy"[n % 2], "rooms": 1} for n in range(places)],
        }
    )


def problems() -> Iterator[Problem]:
    """The first proposal of a pilot, then problems at the edges of every array, then random ones."""
    yield twelve(1, 1, 1)
    yield from (twelve(slots, leaders, places) for slots in (1, 3) for leaders in (1, 2) for places in (1, 2))
    yield from (tiny(people, slots, 1) for people in (3, 4, 40) for slots in (["a"], ["a", "b", "c"]))
    yield from map(wild, range(WILD))


def loops() -> list[Any]:
    """Return the compiled loops of the engine that were imported."""
    modules = [module for name, module in sys.modules.items() if name.startswith("grouping.formation")]
    found = {id(each): each for module in modules for each in vars(module).values() if isinstance(each, Dispatcher)}
    return list(found.values())


if __name__ == "__main__":
    for problem in problems():
        answer = solve(problem, steps=STEPS)
        advise(problem, answer, seconds=0.2)
        explanations(problem, answer)
    assert len(loops()) > 70
    for loop in loops():
        if loop.stats.cache_misses:
            print(f"{loop.py_func.__module__}.{loop.py_func.__name__}: {len(loop.stats.cache_misses)}")
