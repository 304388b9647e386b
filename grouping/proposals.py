"""From the pool as it stands to a problem that the formation engine solves, and back to groups that can be confirmed.

Invariant: nothing is decided here. A proposal is a look; confirming a group checks every rule again.
"""

from collections import Counter
from datetime import date, timedelta

from grouping.domain import Facilitator, Group, Place, Seeker, State
from grouping.formation import Answer, Problem
from services.contracts.base import Slug
from services.contracts.enrolment import WorkerProfiled
from services.kernel import Command
from services.programmes import Programme, distance_km
from services.work import Work


class Survey(Command):
    """How the pool stood on a day."""

    on: date


async def survey(command: Survey, work: Work) -> Problem:
    """Everybody who waits, every place and facilitator, and the groups that meet already, as the engine reads them."""
    rules = work.rules
    groups = [group for group in await work.browse(Group) if group.state is State.FORMED]
    seated = {each.worker for group in groups for each in group.members if each.until is None}
    waiting = [seeker for seeker in await work.browse(Seeker, waits=True) if seeker.id not in seated]
    municipalities = [each.id for each in rules.municipalities]
    return Problem.model_validate(
        {
            "size": [rules.sizes.min, rules.sizes.max],
            "attributes": {"gender": {"kind": "nominal", "levels": ["f", "m", "x"], "weight": 1}},
            "slots": [slot.id for slot in rules.slots],
            "municipalities": municipalities,
            "km": [[distance_km(rules, a, b) for b in municipalities] for a in municipalities],
            "people": [await _person(seeker, command.on, work) for seeker in waiting],
            "facilitators": [_facilitator(each, groups) for each in await work.browse(Facilitator)],
            "places": [
                {"id": each.id, "municipality": each.municipality, "rooms": _rooms(each, groups), "access": each.access}
                for each in await work.browse(Place)
            ],
            "on": command.on.isoformat(),
        }
    )


async def _person(seeker: Seeker, on: date, work: Work) -> dict[str, object]:
    profile = WorkerProfiled.model_validate_json(await work.unseal(seeker.id, "profile", str(seeker.profile)))
    return {
        "id": seeker.id,
        "municipality": profile.municipality,
        "travel_km": profile.travel_km,
        "slots": list(profile.slots),
        "waiting_days": max(0, (on - seeker.admitted).days) if seeker.admitted else 0,
        "attributes": {"gender": profile.gender} if profile.gender else {},
        "company": profile.employer,
        "not_before": seeker.not_before.isoformat() if seeker.not_before else None,
    }


def _facilitator(facilitator: Facilitator, groups: list[Group]) -> dict[str, object]:
    leads = [group for group in groups if group.facilitator == facilitator.id]
    return {
        "id": facilitator.id,
        "municipality": facilitator.municipality,
        "travel_km": facilitator.travel_km,
        "slots": sorted(facilitator.slots - {group.slot for group in leads}),
        "groups": max(0, facilitator.groups - len(leads)),
    }


def _rooms(place: Place, groups: list[Group]) -> int:
    """Free in every slot: careful, since the engine knows no rooms by slot; confirming looks at the slot itself."""
    used = Counter(group.slot for group in groups if group.place == place.id)
    return max(0, place.rooms - max(used.values(), default=0))


def first_meeting(rules: Programme, slot: Slug, after: date) -> date:
    """The slot's first day after this one."""
    weekday = next(each.isoweekday for each in rules.slots if each.id == slot)
    return after + timedelta(days=(weekday - after.isoweekday() - 1) % 7 + 1)


def proposed(answer: Answer, rules: Programme, on: date) -> list[dict[str, object]]:
    """The answer's groups, as `POST /groups` takes them."""
    return [
        {
            "slot": group.slot,
            "place": group.place,
            "facilitator": group.facilitator,
            "first": first_meeting(rules, group.slot, on),
            "members": list(group.members),
        }
        for group in answer.groups
    ]
