"""`python -m grouping.formation`: compiles all loops of the engine now, so that nobody waits for that when groups are first formed.

Invariant: afterwards a problem of any shape finds every loop compiled. Two processes share the work, one for the exact search and one for
the other; it takes a minute, and nothing where it was done before.
"""

import subprocess
import sys

from grouping.formation import Problem, advise, caching, solve

SLOTS = ["a", "b"]
PEOPLE = {"exact": 9, "search": 25}  # of the problem that each process solves
STEPS = 1000


def tiny(number: int, slots: list[str] = SLOTS, facilitators: int = 4) -> Problem:
    """A problem with this number of people, of whom four find a seat with each facilitator."""
    people = [
        {
            "id": f"p{n}",
            "municipality": "x",
            "travel_km": 1,
            "slots": slots[n % len(slots) :],
            "attributes": {"kind": "ab"[n % 2]},
        }
        for n in range(number)
    ]
    return Problem.model_validate(
        {
            "size": [3, 4],
            "attributes": {"kind": {"kind": "nominal", "levels": ["a", "b"], "no_one_alone": True}},
            "slots": slots,
            "municipalities": ["x"],
            "km": [[0]],
            "people": people,
            "facilitators": [
                {"id": f"f{n}", "municipality": "x", "travel_km": 1, "slots": slots, "groups": 1}
                for n in range(facilitators)
            ],
            "places": [{"id": "v", "municipality": "x", "rooms": 2}],
        }
    )


def compile_by(name: str) -> None:
    """Compile what this kind of search needs, by solving a problem with it."""
    problem = tiny(PEOPLE[name])
    answer = solve(problem, steps=STEPS)
    if name == "search":
        advise(problem, answer)


def compile_all() -> int:
    """Compile all loops that are not compiled yet. Returns the exit status."""
    if caching.is_complete():
        return 0
    processes = [subprocess.Popen([sys.executable, "-m", "grouping.formation", name]) for name in PEOPLE]
    failed = max(abs(each.wait()) for each in processes)
    if not failed:
        caching.set_complete()
    return failed


if __name__ == "__main__":
    if sys.argv[1:]:
        compile_by(sys.argv[1])
    else:
        sys.exit(compile_all())
