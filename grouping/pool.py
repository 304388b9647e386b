"""The pool as it stands, as the formation engine reads it: who waits, where groups could meet, who could lead, who sits together already.

Invariant: nothing is decided here, and nobody is in a problem of whom grouping has no profile.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from grouping.domain import Facilitator, Group, Pair, Place, Seeker, State
from grouping.formation.model import Problem
from grouping.wishes import asked_of
from services.contracts.base import Id
from services.contracts.enrolment import WorkerProfiled
from services.contracts.grouping import Kind
from services.kernel import Command
from services.programmes import distance_km
from services.store.work import Work

BANDS = {"18-27": 27, "28-35": 35, "36-43": 43, "44-51": 51, "52 or more": 200}  # of age, by its last year
ATTRIBUTES: dict[str, dict[str, Any]] = {
    "gender": {"kind": "nominal", "levels": ["f", "m", "x"]},
    "age": {"kind": "ordinal", "levels": list(BANDS)},
}


class Survey(Command):
    """How the pool stood on a day. `companies`: those whose people are to sit among colleagues alone."""

    on: date
    companies: frozenset[Id] = frozenset()


async def survey(command: Survey, work: Work) -> Problem:
    """Everybody who waits, every place and facilitator, and the groups that meet already."""
    return await drawn(
        work,
        command.on,
        seekers=await work.browse(Seeker, waits=True),
        places=await work.browse(Place),
        facilitators=await work.browse(Facilitator),
        groups=[group for group in await work.browse(Group) if group.state is State.FORMED],
        pairs=await work.browse(Pair),
        companies=command.companies,
    )


async def drawn(
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
    """The problem of these people, places, facilitators and groups, none of whom others know of."""
    rules = work.rules
    among = {each.worker for group in groups if group.kind is Kind.HOMOGENEOUS for each in group.members}
    people = [await _person(each, on, companies, among, work) for each in seekers if each.profile is not None]
    known = {each["id"] for each in people}
    municipalities = [each.id for each in rules.municipalities]
    return Problem.model_validate(
        {
            "size": [rules.sizes.min, rules.sizes.max],
            "attributes": {
                name: told | {"no_one_alone": name in rules.no_one_alone} for name, told in ATTRIBUTES.items()
            },
            "slots": [slot.id for slot in rules.slots],
            "municipalities": municipalities,
            "km": [[distance_km(rules, a, b) for b in municipalities] for a in municipalities],
            "people": people,
            "facilitators": [_facilitator(each) for each in facilitators],
            "places": [each.model_dump(include={"id", "municipality", "rooms", "access"}) for each in places],
            **await asked_of(pairs, known, work),
            "frozen": [_frozen(group, known) for group in groups],
            "on": on.isoformat(),
        }
    )


async def _person(seeker: Seeker, on: date, companies: frozenset[str], among: set[str], work: Work) -> dict[str, Any]:
    """`among`: who sits in a group of colleagues, which others are not to join."""
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
    """Who sits there now; somebody who is erased in this moment is known no more."""
    members = [each for each in group.sitting() if each in known]
    return group.model_dump(include={"id", "slot", "place", "facilitator"}) | {"members": members}
