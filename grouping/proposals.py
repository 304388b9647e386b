"""From the pool as it stands to a problem that the formation engine solves, and back to groups that can be confirmed.

Invariant: nothing is decided here. A proposal is a look; confirming a group checks every rule again.
"""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

from grouping.domain import Facilitator, Group, Place, Seeker, State
from grouping.formation import Answer, Problem, advise, solve
from services.contracts.base import Id, Slug
from services.contracts.enrolment import WorkerProfiled
from services.contracts.grouping import Kind
from services.kernel import Command
from services.programmes import Programme, distance_km
from services.work import Work

SECONDS = 10.0  # at most, for a machine that is busy: the steps take a tenth of it on an idle one
STEPS = 4_000  # for each person: the same pool and seed give the same proposal
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
    """Everybody who waits, every place and facilitator, and the groups that meet already, as the engine reads them."""
    rules = work.rules
    groups = [group for group in await work.browse(Group) if group.state is State.FORMED]
    people = [await _person(seeker, command, work) for seeker in await work.browse(Seeker, waits=True)]
    known = {each["id"] for each in people}
    municipalities = [each.id for each in rules.municipalities]
    return Problem.model_validate(
        {
            "size": [rules.sizes.min, rules.sizes.max],
            "attributes": ATTRIBUTES,
            "slots": [slot.id for slot in rules.slots],
            "municipalities": municipalities,
            "km": [[distance_km(rules, a, b) for b in municipalities] for a in municipalities],
            "people": people,
            "facilitators": [_facilitator(each) for each in await work.browse(Facilitator)],
            "places": [_place(each) for each in await work.browse(Place)],
            "frozen": [_frozen(group, known) for group in groups],
            "on": command.on.isoformat(),
        }
    )


async def _person(seeker: Seeker, command: Survey, work: Work) -> dict[str, Any]:
    profile = WorkerProfiled.model_validate_json(await work.unseal(seeker.id, "profile", str(seeker.profile)))
    known = {"gender": profile.gender, "age": _band(profile.birth_year, command.on)}
    return {
        "id": seeker.id,
        "municipality": profile.municipality,
        "travel_km": profile.travel_km,
        "slots": list(profile.slots),
        "waiting_days": max(0, (command.on - seeker.admitted).days) if seeker.admitted else 0,
        "attributes": {name: level for name, level in known.items() if level in ATTRIBUTES[name]["levels"]},
        "company": profile.employer,
        "with": "colleagues" if profile.employer in command.companies else None,
        "not_before": seeker.not_before.isoformat() if seeker.not_before else None,
    }


def _band(born: int | None, on: date) -> str | None:
    return None if born is None else next((band for band, last in BANDS.items() if on.year - born <= last), None)


def _facilitator(facilitator: Facilitator) -> dict[str, Any]:
    return facilitator.model_dump(include={"id", "municipality", "travel_km", "groups"}) | {
        "slots": sorted(facilitator.slots)
    }


def _place(place: Place) -> dict[str, Any]:
    return place.model_dump(include={"id", "municipality", "rooms", "access"})


def _frozen(group: Group, known: Collection[str]) -> dict[str, Any]:
    """Who sits there now; somebody who is erased in this moment is known no more."""
    members = [each.worker for each in group.members if each.until is None and each.worker in known]
    return group.model_dump(include={"id", "slot", "place", "facilitator"}) | {"members": members}


def solved(problem: Problem, seed: int) -> Answer:
    """Takes seconds: not for a thread that others wait for."""
    answer = solve(problem, seed, seconds=SECONDS, steps=STEPS * max(1, len(problem.people)))
    return advise(problem, answer, seconds=SECONDS / 10) if answer.unplaced else answer


def first_meeting(rules: Programme, slot: Slug, after: date) -> date:
    """The slot's first day after this one."""
    weekday = next(each.isoweekday for each in rules.slots if each.id == slot)
    return after + timedelta(days=(weekday - after.isoweekday() - 1) % 7 + 1)


def proposed(problem: Problem, answer: Answer, rules: Programme, on: date) -> list[dict[str, Any]]:
    """The answer's new groups, as `POST /groups` takes them."""
    companies = {each.id: each.company for each in problem.people}
    meeting = {each.id for each in problem.frozen}
    return [
        {
            "slot": group.slot,
            "place": group.place,
            "facilitator": group.facilitator,
            "first": first_meeting(rules, group.slot, on),
            "members": list(group.members),
            "kind": _kind({companies[id] for id in group.members}),
        }
        for group in answer.groups
        if group.id not in meeting
    ]


def _kind(companies: Collection[str | None]) -> Kind:
    return Kind.HOMOGENEOUS if len(companies) == 1 and None not in companies else Kind.HETEROGENEOUS


def joining(problem: Problem, answer: Answer) -> list[dict[str, str]]:
    """Who would join which of the groups that meet already."""
    seated = {each.id: set(each.members) for each in problem.frozen}
    return [
        {"worker": id, "group": group.id}
        for group in answer.groups
        for id in group.members
        if group.id in seated and id not in seated[group.id]
    ]
