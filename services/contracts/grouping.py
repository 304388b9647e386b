"""Events of grouping: groups, their members, places and facilitators."""

from enum import StrEnum

from services.contracts.base import Day, EventData, Id, Restricted, Slug


class Kind(StrEnum):
    """Homogeneous: all members had the same employer. Heterogeneous: the territorial pool."""

    HOMOGENEOUS = "homogeneous"
    HETEROGENEOUS = "heterogeneous"


class Ending(StrEnum):
    """The reason for which a group meets no more. `completed`: its last meeting is past."""

    COMPLETED = "completed"
    TOO_FEW = "too-few"
    NO_FACILITATOR = "no-facilitator"
    NO_PLACE = "no-place"
    AGREED = "agreed"
    OTHER = "other"


class Wish(StrEnum):
    """An operator's request for two people: never in one group, or in one group if that costs nothing that counts more."""

    APART = "apart"
    TOGETHER = "together"


class WorkerWaitlisted(EventData):
    """An admitted worker with a known profile waits for a seat."""

    type = "it.amalavoro.grouping.worker.waitlisted.v1"
    topic = "ama.grouping"
    person = "subject"
    not_before: Day | None = None


class WorkerUnlisted(EventData):
    """The worker does not wait for a seat any more, and has none."""

    type = "it.amalavoro.grouping.worker.unlisted.v1"
    topic = "ama.grouping"
    person = "subject"


class PairWished(Restricted):
    """An operator asked of two people of the pool that they sit apart or together, or no longer asks it. `wish` is a `Wish` sealed under
    the key of `other`, or null: to read it takes the keys of both, so that the erasure of either ends it."""

    type = "it.amalavoro.grouping.pair.wished.v1"
    topic = "ama.grouping.restricted"
    readers = ("grouping",)
    person = "one"
    one: Id
    other: Id
    wish: str | None = None


class PlaceRegistered(EventData):
    """A place where groups can meet (the subject): so many rooms at a time, with step-free access or not. A later one corrects it."""

    type = "it.amalavoro.grouping.place.registered.v1"
    topic = "ama.grouping"
    title: str
    address: str
    municipality: Slug
    rooms: int
    access: bool


class FacilitatorRegistered(EventData):
    """A facilitator can lead so many groups at a time (the subject is a pseudonym). A later one corrects it."""

    type = "it.amalavoro.grouping.facilitator.registered.v1"
    topic = "ama.grouping"
    groups: int


class GroupFormed(EventData):
    """A group has a weekly slot, a place and a facilitator; `first` is the day of its first meeting. `days` are those of all its
    meetings: fixed here, so that no later change of the programme moves them."""

    type = "it.amalavoro.grouping.group.formed.v1"
    topic = "ama.grouping"
    kind: Kind
    slot: Slug
    place: Slug
    facilitator: Slug
    first: Day
    # Added after the first events: those lack it, and their meetings follow from the programme.
    days: tuple[Day, ...] | None = None


class FacilitatorAssigned(EventData):
    """From this day the facilitator leads the group."""

    type = "it.amalavoro.grouping.facilitator.assigned.v1"
    topic = "ama.grouping"
    facilitator: Slug
    since: Day


class MemberJoined(EventData):
    """From this day the worker has a seat in the group (the subject). `members`: how many have one now, this worker included."""

    type = "it.amalavoro.grouping.member.joined.v1"
    topic = "ama.grouping"
    person = "worker"
    worker: Id
    since: Day
    members: int | None = None  # added after the first events


class MemberLeft(EventData):
    """From this day the worker has no seat in the group (the subject) any more. `members`: how many have one now."""

    type = "it.amalavoro.grouping.member.left.v1"
    topic = "ama.grouping"
    person = "worker"
    worker: Id
    since: Day
    members: int | None = None  # added after the first events


class GroupConcluded(EventData):
    """The group does not meet after this day: that of its last meeting, or an earlier one on which it ended, for a reason."""

    type = "it.amalavoro.grouping.group.concluded.v1"
    topic = "ama.grouping"
    on: Day
    reason: Ending = Ending.COMPLETED
