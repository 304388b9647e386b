"""The pool as a problem of the formation engine: people who wait, places, facilitators, and the groups that meet already.

Invariant: nothing is decided here. A person whose profile grouping does not have is in no problem.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from grouping.domain import Facilitator, Group, Pair, Place, Seeker
from grouping.formation.model import Problem
from grouping.wishes import asked_of
from services.contracts.enrolment import WorkerProfiled
from services.contracts.grouping import Kind
from services.programmes import Programme, distance_km
from services.store.work import Work

BANDS = {"18-27": 27, "28-35": 35, "36-43": 43, "44-51": 51, "52 or more": 200}  # of age, by the last year of each
ATTRIBUTES: dict[str, dict[str, Any]] = {
    "gender": {"kind": "nominal", "levels": ["f", "m", "x"]},
    "age": {"kind": "ordinal", "levels": list(BANDS)},
}


async def problem_of(
    work: Work,
    on: date,
    *,
    seekers: Iterable[Seeker],
    places: Iterable[Place],
    facilitators: Iterable[Facilitator] = (),
    groups: Sequence[Group] = (),
    pairs: Iterable[Pair] = (),
    companies: frozenset[str] = frozenset(),
) -> Problem:
    """The problem of these people, places, facilitators and groups on a day. `companies`: those whose people sit among colleagues
    alone."""
    among = {each.worker for group in groups if group.kind is Kind.HOMOGENEOUS for each in group.members}
    people = [await _person(each, on, companies, among, work) for each in seekers if each.profile is not None]
    known = {each["id"] for each in people}
    return Problem.model_validate(
        {
            **_of_the_programme(work.rules),
            "people": people,
            "facilitators": [_facilitator(each) for each in facilitators],
            "places": [each.model_dump(include={"id", "municipality", "rooms", "access"}) for each in places],
            **await asked_of(pairs, known, work),
            "frozen": [_frozen(group, known) for group in groups],
            "on": on.isoformat(),
        }
    )


def _of_the_programme(rules: Programme) -> dict[str, Any]:
    municipalities = [each.id for each in rules.municipalities]
    return {
        "size": [rules.sizes.min, rules.sizes.max],
        "attributes": {
            name: described | {"no_one_alone": name in rules.no_one_alone} for name, described in ATTRIBUTES.items()
        },
        "slots": [slot.id for slot in rules.slots],
        "municipalities": municipalities,
        "km": [[distance_km(rules, a, b) for b in municipalities] for a in municipalities],
    }


async def _person(seeker: Seeker, on: date, companies: frozenset[str], among: set[str], work: Work) -> dict[str, Any]:
    """`among`: workers in a group of colleagues, which nobody but colleagues may join."""
    profile = WorkerProfiled.model_validate_json(await work.unseal(seeker.id, "profile", str(seeker.profile)))
    known = {"gender": profile.gender, "age": _band(profile.birth_year, on)}
    return {
        "id": seeker.id,
        "municipality": profile.municipality,
        "travel_km": profile.travel_km,
        "slots": list(profile.slots),
        "waiting_days": max(0, (on - seeker.admitted).days) if seeker.admitted else 0,
        "attributes": {name: level for name, level in known.items() if level in ATTRIBUTES[name]["levels"]},
        "company": profile.employer,
        "with": profile.among or ("colleagues" if profile.employer in companies or seeker.id in among else None),
        "needs_access": profile.needs_access,
        "not_before": seeker.not_before.isoformat() if seeker.not_before else None,
    }


def _band(born: int | None, on: date) -> str | None:
    return None if born is None else next((band for band, last in BANDS.items() if on.year - born <= last), None)


def _facilitator(facilitator: Facilitator) -> dict[str, Any]:
    return facilitator.model_dump(include={"id", "municipality", "travel_km", "groups"}) | {
        "slots": sorted(facilitator.slots)
    }


def _frozen(group: Group, known: set[str]) -> dict[str, Any]:
    """The group with its known members: a member who is being erased has no profile any more."""
    members = [each for each in group.sitting() if each in known]
    return group.model_dump(include={"id", "slot", "place", "facilitator"}) | {"members": members}
