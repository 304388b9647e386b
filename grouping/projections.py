"""Read models of grouping: the pool, the groups, places and facilitators, for lists.

Invariant: a page of a list costs what is on it, however large the programme is: an index gives filter and order together.
"""

from services.contracts import Event
from services.contracts.grouping import (
    FacilitatorAssigned,
    FacilitatorRegistered,
    GroupConcluded,
    GroupFormed,
    MemberJoined,
    MemberLeft,
    PlaceRegistered,
    WorkerUnlisted,
    WorkerWaitlisted,
)
from services.events.delivery.declare import Projection, Rows, on


class Pool(Projection):
    """One row per worker who ever waited: since when, held back until when. One row per seat: somebody may have several, one after the
    other, and the events of two groups come in any order."""

    name = "pool"
    indexes = ("group",)

    @on(WorkerWaitlisted)
    def waits(self, event: Event[WorkerWaitlisted], rows: Rows) -> None:
        """The worker came into the pool."""
        rows.set(
            event.subject,
            person=event.subject,
            worker=event.subject,
            waits=event.time,
            not_before=event.data.not_before,
        )

    @on(WorkerUnlisted)
    def gone(self, event: Event[WorkerUnlisted], rows: Rows) -> None:
        """The worker left the pool."""
        rows.set(event.subject, person=event.subject, gone=event.time)

    @on(MemberJoined)
    def sits(self, event: Event[MemberJoined], rows: Rows) -> None:
        """The worker has a seat."""
        worker, group = event.data.worker, event.subject
        rows.set(f"{worker}/{group}", person=worker, member=worker, group=group, since=event.data.since, left=None)

    @on(MemberLeft)
    def left(self, event: Event[MemberLeft], rows: Rows) -> None:
        """The worker gave the seat up."""
        rows.set(f"{event.data.worker}/{event.subject}", person=event.data.worker, left=event.data.since)


class Groups(Projection):
    """One row per group, with the facilitator who was assigned last."""

    name = "groups"

    @on(GroupFormed)
    def formed(self, event: Event[GroupFormed], rows: Rows) -> None:
        """The group was formed, with this slot, place and facilitator; `last` is the day of its last meeting, if that was fixed."""
        days = event.data.days
        rows.set(
            event.subject,
            group=event.subject,
            last=days[-1] if days else None,
            **event.data.model_dump(exclude={"days"}),
        )

    @on(FacilitatorAssigned)
    def led(self, event: Event[FacilitatorAssigned], rows: Rows) -> None:
        """The latest assignment counts."""
        rows.set(event.subject, facilitator=event.data.facilitator)

    @on(GroupConcluded)
    def concluded(self, event: Event[GroupConcluded], rows: Rows) -> None:
        """The group meets no more after that day."""
        rows.set(event.subject, concluded=event.data.on)


class Leaders(Projection):
    """One row per assignment of a facilitator to a group, from a day on. `order`: of two of one day, the later event counts."""

    name = "leaders"
    indexes = ("facilitator", "group")

    @on(FacilitatorAssigned)
    def assigned(self, event: Event[FacilitatorAssigned], rows: Rows) -> None:
        """From a day on the facilitator leads the group."""
        rows.set(event.id, group=event.subject, order=event.sequence, **event.data.model_dump())


class GroupList(Projection):
    """One row per group for the pages: where and when it meets, who leads it, how many sit there, and its end."""

    name = "group_list"
    indexes = (("concluded", "first", "group"), ("concluded", "members", "group"))

    @on(GroupFormed)
    def formed(self, event: Event[GroupFormed], rows: Rows) -> None:
        """The group was formed. Its facilitator is told by the event that follows."""
        facts = event.data.model_dump(exclude={"days", "facilitator"})
        rows.set(event.subject, group=event.subject, concluded=None, **facts)

    @on(FacilitatorAssigned)
    def led(self, event: Event[FacilitatorAssigned], rows: Rows) -> None:
        """The latest assignment counts."""
        rows.set(event.subject, facilitator=event.data.facilitator)

    @on(MemberJoined, MemberLeft)
    def counted(self, event: Event[MemberJoined] | Event[MemberLeft], rows: Rows) -> None:
        """The number of members, as the latest event of the group tells it; events of older versions do not."""
        if event.data.members is not None:
            rows.set(event.subject, members=event.data.members)

    @on(GroupConcluded)
    def concluded(self, event: Event[GroupConcluded], rows: Rows) -> None:
        """The group meets no more after that day."""
        rows.set(event.subject, concluded=event.data.on, reason=event.data.reason)


class Waiting(Projection):
    """One row per worker who came into the pool: since when they wait (None: not any more), and the group in which they have a seat.

    The events of two groups come in any order, so whoever left one group and joined another may have no group here. A reader asks the
    seats in `pool` as well, where each seat has a row of its own. Nobody without a seat has a group here.
    """

    name = "waiting"
    indexes = (("seat", "waits", "worker"),)

    @on(WorkerWaitlisted)
    def waits(self, event: Event[WorkerWaitlisted], rows: Rows) -> None:
        """The worker came into the pool."""
        worker = event.subject
        rows.set(worker, person=worker, worker=worker, waits=event.time, not_before=event.data.not_before)

    @on(WorkerUnlisted)
    def gone(self, event: Event[WorkerUnlisted], rows: Rows) -> None:
        """The worker left the pool."""
        rows.set(event.subject, person=event.subject, waits=None)

    @on(MemberJoined)
    def sits(self, event: Event[MemberJoined], rows: Rows) -> None:
        """The worker has a seat in this group."""
        rows.set(event.data.worker, person=event.data.worker, seat=event.subject)

    @on(MemberLeft)
    def free(self, event: Event[MemberLeft], rows: Rows) -> None:
        """The worker gave a seat up."""
        rows.set(event.data.worker, person=event.data.worker, seat=None)


class Places(Projection):
    """One row per place."""

    name = "places"
    indexes = (("title", "place"),)

    @on(PlaceRegistered)
    def registered(self, event: Event[PlaceRegistered], rows: Rows) -> None:
        """The place as it was described last."""
        rows.set(event.subject, place=event.subject, **event.data.model_dump())


class Facilitators(Projection):
    """One row per facilitator; where they live and when they are free is in no event."""

    name = "facilitators"
    indexes = ("facilitator",)

    @on(FacilitatorRegistered)
    def registered(self, event: Event[FacilitatorRegistered], rows: Rows) -> None:
        """The number of groups that they lead at a time."""
        rows.set(event.subject, facilitator=event.subject, groups=event.data.groups)
