"""`python -m grouping.formation`: compiles the engine's loops now, so that nobody waits for that when groups are first formed."""

from grouping.formation import Problem, advise, solve

SLOTS = ["a", "b"]


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


if __name__ == "__main__":
    # Solved exactly, by search, and exactly with a single slot and facilitator: its arrays have another layout, so another compilation.
    for problem in (tiny(9), tiny(25), tiny(3, SLOTS[:1], 1)):
        advise(problem, solve(problem, steps=1000))
