"""Read models of grouping: the pool and the groups, for lists."""

from services.contracts import Event
from services.contracts.grouping import GroupFormed, MemberJoined, MemberLeft, WorkerUnlisted, WorkerWaitlisted
from services.events.delivery.declare import Projection, Rows, on


class Pool(Projection):
    """One row per worker who ever waited: since when, held back until when, seated in which group."""

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
        rows.set(event.data.worker, person=event.data.worker, group=event.subject, since=event.data.since)

    @on(MemberLeft)
    def left(self, event: Event[MemberLeft], rows: Rows) -> None:
        """The worker gave the seat up."""
        rows.set(event.data.worker, person=event.data.worker, left=event.data.since)


class Groups(Projection):
    """One row per group."""

    name = "groups"

    @on(GroupFormed)
    def formed(self, event: Event[GroupFormed], rows: Rows) -> None:
        """The group was formed, with this slot, place and facilitator."""
        rows.set(event.subject, group=event.subject, **event.data.model_dump())
