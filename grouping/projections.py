"""Read models of grouping: the pool and the groups, for lists."""

from services.contracts import Event
from services.contracts.grouping import (
    GroupConcluded,
    GroupFormed,
    MemberJoined,
    MemberLeft,
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
    """One row per group."""

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

    @on(GroupConcluded)
    def concluded(self, event: Event[GroupConcluded], rows: Rows) -> None:
        """The group meets no more after that day."""
        rows.set(event.subject, concluded=event.data.on)
