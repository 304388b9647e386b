"""Read model of the groups, for the places that are free. It holds no person."""

from services.contracts import Event
from services.contracts.grouping import GroupConcluded, GroupFormed, MemberJoined, MemberLeft
from services.events.delivery.declare import Projection, Rows, on


class GroupSizes(Projection):
    """One row per group: the number of its members, and whether it still meets."""

    name = "sizes"
    indexes = ("meets",)

    @on(GroupFormed)
    def formed(self, event: Event[GroupFormed], rows: Rows) -> None:
        """A group that meets."""
        rows.set(event.subject, group=event.subject, meets=True)

    @on(MemberJoined, MemberLeft)
    def counted(self, event: Event[MemberJoined] | Event[MemberLeft], rows: Rows) -> None:
        """The number of members, as the latest event tells it."""
        rows.set(event.subject, members=event.data.members)

    @on(GroupConcluded)
    def concluded(self, event: Event[GroupConcluded], rows: Rows) -> None:
        """A group that does not meet any more."""
        rows.set(event.subject, meets=False)
