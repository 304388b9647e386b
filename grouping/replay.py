"""Applies own events to places, facilitators and groups, for a database that is older than they are.

Invariant: state changes through `Aggregate.apply` alone. Seekers come back with enrolment's events and pairs with `PairWished`, for
which `reactions.py` waits until the keys are there. No event tells how far a facilitator travels and when they are free.
"""

from typing import Any

from grouping.domain import Facilitator, Group, Place
from services.contracts import Event
from services.contracts.grouping import (
    FacilitatorAssigned,
    FacilitatorRegistered,
    GroupConcluded,
    GroupFormed,
    MemberJoined,
    MemberLeft,
    PlaceRegistered,
)
from services.events.delivery.declare import Reactions
from services.store.work import Work

replays = Reactions()


@replays.on(PlaceRegistered)
async def place_registered(event: Event[PlaceRegistered], work: Work) -> None:
    """Add the place, or correct it."""
    place = await work.find(Place, event.subject)
    if place is None:
        place = Place.new(event.subject, event.data)
        work.add(place)
    place.apply(event.data, event.time)


@replays.on(FacilitatorRegistered)
async def facilitator_registered(event: Event[FacilitatorRegistered], work: Work) -> None:
    """Correct a facilitator who is stored. A new one cannot be made from the event alone."""
    facilitator = await work.find(Facilitator, event.subject)
    if facilitator is not None:
        facilitator.apply(event.data, event.time)


@replays.on(GroupFormed)
async def group_formed(event: Event[GroupFormed], work: Work) -> None:
    """Add the group; later events of the same subject give the seats."""
    group = await work.find(Group, event.subject)
    if group is None:
        group = Group.new(event.subject, event.data)
        work.add(group)
    group.apply(event.data, event.time)


@replays.on(MemberJoined)
async def member_joined(event: Event[MemberJoined], work: Work) -> None:
    """Give the seat, unless the worker has it already."""
    group = await work.get(Group, event.subject)
    if not group.seats(event.data.worker):
        group.apply(event.data, event.time)


@replays.on(FacilitatorAssigned)
@replays.on(GroupConcluded)
@replays.on(MemberLeft)
async def group_changed(event: Event[Any], work: Work) -> None:
    """Apply an event of a group that is there already."""
    (await work.get(Group, event.subject)).apply(event.data, event.time)
