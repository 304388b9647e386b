"""What grouping's own events tell of places and groups, for a database that is older than they are. How far a facilitator travels, and
when they are free, no event tells."""

from grouping.domain import Facilitator, Group, Membership, Place
from services.contracts import Event
from services.contracts.grouping import FacilitatorRegistered, GroupFormed, MemberJoined, PlaceRegistered
from services.events.delivery.declare import Reactions
from services.store.work import Work

recalls = Reactions()


@recalls.on(PlaceRegistered)
async def registered(event: Event[PlaceRegistered], work: Work) -> None:
    """New, or corrected."""
    place = await work.find(Place, event.subject)
    if place is None:
        work.add(Place(id=event.subject, **event.data.model_dump()))
        return
    for name, value in event.data.model_dump().items():
        setattr(place, name, value)


@recalls.on(FacilitatorRegistered)
async def leads(event: Event[FacilitatorRegistered], work: Work) -> None:
    """How many groups they lead at a time, of somebody who is known."""
    facilitator = await work.find(Facilitator, event.subject)
    if facilitator is not None:
        facilitator.groups = event.data.groups


@recalls.on(GroupFormed)
async def formed(event: Event[GroupFormed], work: Work) -> None:
    """Who sits in it comes after."""
    if await work.find(Group, event.subject) is None:
        work.add(Group(id=event.subject, **event.data.model_dump()))


@recalls.on(MemberJoined)
async def joined(event: Event[MemberJoined], work: Work) -> None:
    """They have a seat."""
    group = await work.get(Group, event.subject)
    if not group.seats(event.data.worker):
        group.members = [*group.members, Membership(worker=event.data.worker, since=event.data.since)]
