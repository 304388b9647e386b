"""Counts of who names which slot and municipality of the programme."""

from collections.abc import Iterator

from grouping.domain import Facilitator, Group, Place, Seeker
from services.contracts.enrolment import WorkerProfiled
from services.kernel import NotYet, Refused
from services.programmes import Uses, counted_uses
from services.store.work import Work


async def uses(work: Work) -> Uses:
    """Count the people of the pool, places, facilitators and groups that name each slot and municipality."""
    profiles = [await _profile(each, work) for each in await work.browse(Seeker)]
    people = [name for each in profiles if each is not None for name in _named(each, "people")]
    facilitators = [name for each in await work.browse(Facilitator) for name in _named(each, "facilitators")]
    places = [("municipalities", each.municipality, "places") for each in await work.browse(Place)]
    groups = [("slots", each.slot, "groups") for each in await work.browse(Group)]
    return counted_uses([*people, *facilitators, *places, *groups])


async def _profile(seeker: Seeker, work: Work) -> WorkerProfiled | None:
    """The person's profile; None without one, or when its key is not here."""
    if seeker.profile is None:
        return None
    try:
        return WorkerProfiled.model_validate_json(await work.unseal(seeker.id, "profile", seeker.profile))
    except (NotYet, Refused):  # erased at this moment, or the key is still on its way
        return None


def _named(each: WorkerProfiled | Facilitator, what: str) -> Iterator[tuple[str, str, str]]:
    yield "municipalities", each.municipality, what
    yield from (("slots", slot, what) for slot in sorted(each.slots))
