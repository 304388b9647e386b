"""The pool as a problem of the formation engine: people who wait, places, facilitators, and the groups that meet already.

Invariant: nothing is decided here. A person whose profile grouping does not have is in no problem.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any

from grouping.domain import Facilitator, Group, Pair, Place, Seeker
from grouping.fitting import held_between, held_by
from grouping.formation.model import Problem
from grouping.wishes import asked_of
from services.contracts.enrolment import WorkerProfiled
from services.contracts.grouping import Kind
from services.programmes import Programme, distance_km
from services.store.work import Work

BANDS = {"18-27": 27, "28-35": 35, "36-43": 43, "44-51": 51, "52 or more": 200}  # of age, by the last year of each
NOWHERE = 100_000.0  # km; farther than anybody travels
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
    described = [each for each in seekers if each.profile is not None]
    await work.fetch_keys(each.id for each in described)
    people = [await _person(each, on, companies, among, work) for each in described]
    known = {each["id"] for each in people}
    rooms = [_place(each, work.rules) for each in places]
    until = _led_until(groups, on, work.rules)
    leaders = [_facilitator(each, work.rules, until.get(each.id, frozenset())) for each in facilitators]
    frozen = [_frozen(group, known, work.rules) for group in groups]
    return Problem.model_validate(
        {
            **_of_the_programme(work.rules),
            **_slots(work.rules, people, frozen),
            **_map(work.rules, [*people, *rooms, *leaders]),
            "people": people,
            "facilitators": leaders,
            "places": rooms,
            **await asked_of(pairs, known, work),
            "frozen": frozen,
            "on": on.isoformat(),
        }
    )


def _of_the_programme(rules: Programme) -> dict[str, Any]:
    return {
        "size": [rules.sizes.min, rules.sizes.max],
        "attributes": {
            name: described | {"no_one_alone": name in rules.no_one_alone} for name, described in ATTRIBUTES.items()
        },
    }


def _slots(rules: Programme, people: Iterable[dict[str, Any]], frozen: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Every slot that people or groups name. No facilitator is free in a retired one, so that no new group is put there."""
    named = {slot for each in people for slot in each["slots"]} | {each["slot"] for each in frozen}
    return {"slots": list(dict.fromkeys([*(each.id for each in rules.active.slots), *sorted(named)]))}


def _map(rules: Programme, located: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The municipalities and the distances between them. One that the programme never had is out of reach of everybody."""
    known = [each.id for each in rules.municipalities if each.renamed is None]
    strange = sorted({each["municipality"] for each in located} - set(known))
    km = [[distance_km(rules, a, b) for b in known] + [NOWHERE] * len(strange) for a in known]
    km += [[NOWHERE] * len(known) + [0.0 if a == b else NOWHERE for b in strange] for a in strange]
    return {"municipalities": [*known, *strange], "km": km}


async def _person(seeker: Seeker, on: date, companies: frozenset[str], among: set[str], work: Work) -> dict[str, Any]:
    """`among`: workers in a group of colleagues, which nobody but colleagues may join."""
    profile = WorkerProfiled.model_validate_json(await work.unseal(seeker.id, "profile", str(seeker.profile)))
    known = {"gender": profile.gender, "age": _band(profile.birth_year, on)}
    return {
        "id": seeker.id,
        "municipality": work.rules.municipality_id(profile.municipality),
        "travel_km": profile.travel_km,
        "slots": list(dict.fromkeys(work.rules.slot_id(each) for each in profile.slots)),
        "waiting_days": max(0, (on - seeker.admitted).days) if seeker.admitted else 0,
        "attributes": {name: level for name, level in known.items() if level in ATTRIBUTES[name]["levels"]},
        "company": profile.employer,
        "with": profile.among or ("colleagues" if profile.employer in companies or seeker.id in among else None),
        "needs_access": profile.needs_access,
        "not_before": seeker.not_before.isoformat() if seeker.not_before else None,
    }


def _band(born: int | None, on: date) -> str | None:
    return None if born is None else next((band for band, last in BANDS.items() if on.year - born <= last), None)


def _place(place: Place, rules: Programme) -> dict[str, Any]:
    return place.model_dump(include={"id", "rooms", "access"}) | {
        "municipality": rules.municipality_id(place.municipality)
    }


def _led_until(groups: Iterable[Group], on: date, rules: Programme) -> dict[str, set[str]]:
    """The slots in which facilitators lead a group that another one was assigned, and still do after the day. The engine knows one
    facilitator of a group."""
    found: dict[str, set[str]] = {}
    for group in groups:
        for lead in group.leads[:-1]:
            held = held_between(held_by(lead.facilitator, [group], rules), on, date.max)
            found.setdefault(lead.facilitator, set()).update(each.slot for each in held)
    return found


def _facilitator(facilitator: Facilitator, rules: Programme, taken: Collection[str]) -> dict[str, Any]:
    """The facilitator, free in the slots that take new groups, but for those that are `taken`."""
    active = {each.id for each in rules.active.slots}
    return facilitator.model_dump(include={"id", "travel_km", "groups"}) | {
        "municipality": rules.municipality_id(facilitator.municipality),
        "slots": sorted(({rules.slot_id(each) for each in facilitator.slots} & active) - set(taken)),
    }


def _frozen(group: Group, known: set[str], rules: Programme) -> dict[str, Any]:
    """The group with its known members: a member who is being erased has no profile any more."""
    members = [each for each in group.sitting() if each in known]
    seat = group.model_dump(include={"id", "place", "facilitator"})
    return seat | {"slot": rules.slot_id(group.slot), "members": members}
