"""`python -m grouping.formation`: compiles the engine's loops now, so that nobody waits for that when groups are first formed."""

from grouping.formation import Problem, advise, solve

SLOTS = ["a", "b"]


def tiny(number: int) -> Problem:
    """A problem with this number of people, of whom at most 16 find a seat."""
    people = [
        {
            "id": f"p{n}",
            "municipality": "x",
            "travel_km": 1,
            "slots": SLOTS[n % 2 :],
            "attributes": {"kind": "ab"[n % 2]},
        }
        for n in range(number)
    ]
    return Problem.model_validate(
        {
            "size": [3, 4],
            "attributes": {"kind": {"kind": "nominal", "levels": ["a", "b"], "no_one_alone": True}},
            "slots": SLOTS,
            "municipalities": ["x"],
            "km": [[0]],
            "people": people,
            "facilitators": [
                {"id": f"f{n}", "municipality": "x", "travel_km": 1, "slots": SLOTS, "groups": 1} for n in range(4)
            ],
            "places": [{"id": "v", "municipality": "x", "rooms": 2}],
        }
    )


if __name__ == "__main__":
    for number in (9, 25):  # the first is solved exactly, the second by search
        problem = tiny(number)
        advise(problem, solve(problem, steps=1000))
