"""Formation problems for tests: small ones with everything in them that the format knows, and larger pools with room for all."""

import random
from typing import Any

from hypothesis import strategies as st

from grouping.formation import Answer, Problem

SLOTS = [f"{day}-{part}" for day in ("mon", "tue", "wed", "thu", "fri") for part in ("morning", "afternoon", "evening")]


def pool(number: int, seed: int = 0, **changes: Any) -> Problem:
    """A problem in which everybody can attend a third of the slots; rooms and facilitators are enough."""
    chance = random.Random(seed)
    towns = [f"m{n}" for n in range(6)]
    document: dict[str, Any] = {
        "size": [10, 15],
        "slots": SLOTS,
        "municipalities": towns,
        "km": [[0.0 if a == b else 8.0 for b in towns] for a in towns],
        "people": [
            {
                "id": f"p{n}",
                "municipality": chance.choice(towns),
                "travel_km": 20,
                "slots": chance.sample(SLOTS, 5),
                "waiting_days": chance.randrange(90),
            }
            for n in range(number)
        ],
        "facilitators": [
            {
                "id": f"f{n}",
                "municipality": chance.choice(towns),
                "travel_km": 60,
                "slots": chance.sample(SLOTS, 8),
                "groups": 2,
            }
            for n in range(max(2, number // 8))
        ],
        "places": [{"id": f"v{n}", "municipality": town, "rooms": 2, "access": n == 0} for n, town in enumerate(towns)],
    }
    return Problem.model_validate({**document, **changes})


def small(**changes: Any) -> dict[str, Any]:
    """Four people of two towns, one place in each, groups of two to four: a document to be changed."""
    document: dict[str, Any] = {
        "size": [2, 4],
        "slots": ["a", "b"],
        "municipalities": ["x", "y"],
        "km": [[0, 10], [10, 0]],
        "people": [person(n) for n in range(4)],
        "facilitators": [
            {"id": f"f{n}", "municipality": "x", "travel_km": 50, "slots": ["a", "b"], "groups": 2} for n in range(2)
        ],
        "places": [
            {"id": "v0", "municipality": "x", "rooms": 1, "access": True},
            {"id": "v1", "municipality": "y", "rooms": 1},
        ],
    }
    return document | changes


def person(number: int, **changes: Any) -> dict[str, Any]:
    """Somebody of town x who can attend slot a."""
    return {"id": f"p{number}", "municipality": "x", "travel_km": 20, "slots": ["a"]} | changes


def people_with(**by_number: dict[str, Any]) -> list[dict[str, Any]]:
    """Four people, some of them with these differences: `people_with(p1={...})`."""
    return [person(n, **by_number.get(f"p{n}", {})) for n in range(4)]


def group(*members: str, **changes: Any) -> dict[str, Any]:
    """A group of slot a at place v0."""
    return {"id": "g1", "slot": "a", "place": "v0", "facilitator": "f0", "members": list(members)} | changes


def answer(*groups: dict[str, Any], waiting: tuple[str, ...] = ()) -> Answer:
    """These groups, and those who wait."""
    return Answer.model_validate({"groups": groups, "unplaced": [{"id": id, "reasons": ["full"]} for id in waiting]})


@st.composite
def problems(draw: st.DrawFn, most: int = 14, least: int = 0) -> Problem:
    """Problems with all that the format knows, rarely solvable for all; in some a group meets already."""
    ids = [f"p{n}" for n in range(draw(st.integers(least, most)))]
    towns, slots = st.sampled_from("xy"), ["a", "b", "c"]
    pairs = (
        st.lists(st.permutations(ids).map(lambda order: tuple(order[:2])), max_size=3) if len(ids) > 1 else st.just([])
    )
    sitting = draw(st.integers(0, min(6, len(ids)))) if draw(st.booleans()) else None
    return Problem.model_validate(
        {
            "size": [2, 4],
            "on": "2026-09-01",
            "attributes": {
                "gender": {"kind": "nominal", "levels": ["f", "m"], "no_one_alone": draw(st.booleans())},
                "age": {"kind": "ordinal", "levels": ["1", "2", "3"], "weight": 2, "no_one_alone": draw(st.booleans())},
            },
            "slots": slots,
            "municipalities": ["x", "y"],
            "km": [[0, 10], [10, 0]],
            "people": [
                {
                    "id": id,
                    "municipality": draw(towns),
                    "travel_km": draw(st.sampled_from([0, 20, 20])),
                    "slots": draw(st.lists(st.sampled_from(slots), unique=True)),
                    "waiting_days": draw(st.integers(0, 9)),
                    "attributes": {
                        "gender": draw(st.sampled_from(["f", "m", None])),
                        "age": draw(st.sampled_from("123")),
                    },
                    "company": draw(st.sampled_from(["acme", "bolt", None])),
                    "with": draw(st.sampled_from(["colleagues", "others", None, None])),
                    "needs_access": draw(st.booleans()),
                    "not_before": draw(st.sampled_from([None, None, "2026-08-01", "2026-10-01"])),
                }
                for id in ids
            ],
            "facilitators": [
                {
                    "id": f"f{n}",
                    "municipality": draw(towns),
                    "travel_km": draw(st.sampled_from([5, 50])),
                    "slots": slots[n:],
                    "groups": draw(st.integers(0, 2)),
                }
                for n in range(3)
            ],
            "places": [
                {"id": f"v{n}", "municipality": "xy"[n], "rooms": draw(st.integers(0, 2)), "access": n == 0}
                for n in range(2)
            ],
            "apart": draw(pairs),
            "together": draw(pairs),
            "frozen": [] if sitting is None else [group(*ids[:sitting])],
        }
    )


def roomy(number: int, seed: int) -> Problem:
    """A problem in which most people could sit with most others in three groups or more: the hard part is the choice of members."""
    chance = random.Random(seed)
    people = [
        person(
            n,
            municipality=chance.choice("xy"),
            slots=[slot for slot in "abc" if chance.random() < 0.7],
            waiting_days=chance.randrange(9),
            attributes={"gender": chance.choice("fm"), "age": chance.choice("123"), "sector": chance.choice("stuv")},
        )
        for n in range(number)
    ]
    pairs = [[f"p{n}" for n in chance.sample(range(number), 2)] for _ in range(4)]
    return Problem.model_validate(
        small(
            size=[3, 4],
            slots=["a", "b", "c"],
            attributes={
                "gender": {"kind": "nominal", "levels": ["f", "m"], "no_one_alone": True},
                "age": {"kind": "ordinal", "levels": ["1", "2", "3"], "weight": 2},
                "sector": {"kind": "nominal", "levels": list("stuv")},
            },
            people=people,
            facilitators=[
                {"id": f"f{n}", "municipality": "x", "travel_km": 50, "slots": ["a", "b", "c"], "groups": 2}
                for n in range(2)
            ],
            apart=pairs[:2],
            together=pairs[2:],
        )
    )


def among_others(seed: int) -> Problem:
    """A problem with too many people to try every answer, most of whom want to sit among colleagues alone, or among others."""
    chance = random.Random(seed)
    people = [
        person(
            n,
            municipality=chance.choice("xy"),
            slots=[slot for slot in "abc" if chance.random() < 0.5],
            waiting_days=chance.randrange(9),
            attributes={"gender": chance.choice(["f", "m", None]), "age": chance.choice("123")},
            company=chance.choice(["acme", "acme", "bolt", None]),
            **{"with": chance.choice(["colleagues", "others", "others", None])},
        )
        for n in range(28)
    ]
    return Problem.model_validate(
        small(
            slots=["a", "b", "c"],
            attributes={
                "gender": {"kind": "nominal", "levels": ["f", "m"]},
                "age": {"kind": "ordinal", "levels": ["1", "2", "3"], "weight": 2, "no_one_alone": seed % 2 == 0},
            },
            people=people,
            facilitators=[
                {"id": f"f{n}", "municipality": "x", "travel_km": 50, "slots": ["a", "b", "c"], "groups": 3}
                for n in range(3)
            ],
            places=[{"id": f"v{n}", "municipality": "xy"[n], "rooms": 3} for n in range(2)],
        )
    )
