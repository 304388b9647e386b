"""Aggregates of grouping: seekers, pairs, places, facilitators and groups with their dated ledger of members.

Invariants: nobody has a seat in two groups. A group has as many members as the programme allows when it is formed. A seat is written in
one aggregate, the group. The days of its meetings are fixed when it is formed; after the last one it holds neither its facilitator nor its
room. A command that gives a seat guards the person, the place and the facilitator, so that two commands that both
saw it free cannot both take it.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar
from uuid import NAMESPACE_URL, uuid5

from pydantic import BaseModel

from services.contracts.grouping import (
    Ending,
    FacilitatorAssigned,
    FacilitatorRegistered,
    GroupConcluded,
    GroupFormed,
    Kind,
    MemberJoined,
    MemberLeft,
    PairWished,
    PlaceRegistered,
    WorkerUnlisted,
    WorkerWaitlisted,
)
from services.contracts.leading import Lead
from services.kernel import Aggregate, Refusal, Refused, applies, in_order, in_time


class Seeker(Aggregate):
    """A person on the way to a seat. They wait once admitted and described; `profile` is sealed under the person's key."""

    noun: ClassVar[str] = "seeker"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("waits",),)
    admitted: date | None = None
    profile: str | None = None
    not_before: date | None = None
    waits: bool = False
    gone: bool = False
    trace: str | None = None  # in which they came into the pool: the trace of the formation links to it

    def admit(self, on: date, trace: str | None) -> None:
        """Keep the day of admission; wait if the profile is there."""
        self.admitted, self.trace = on, trace
        self._wait()

    def describe(self, sealed: str, not_before: date | None) -> None:
        """Keep the sealed profile, which replaces an earlier one; wait if admitted."""
        self.profile, self.not_before = sealed, not_before
        self._wait()

    def _wait(self) -> None:
        if self.admitted is not None and self.profile is not None and not self.waits and not self.gone:
            self.says(WorkerWaitlisted(not_before=self.not_before))

    def leave(self) -> None:
        """Stop waiting for good. No event tells that a person left who did not wait yet."""
        if self.waits:
            self.says(WorkerUnlisted())
        else:
            self._close()

    def come_back(self) -> None:
        """Begin anew: they wait once they are admitted and described again."""
        self.gone, self.admitted = False, None

    def redate(self, on: date) -> None:
        """Correct the day of the admission."""
        if self.admitted is not None:
            self.admitted = on

    def _close(self) -> None:
        self.waits, self.gone, self.profile = False, True, None

    @applies(WorkerWaitlisted)
    def _waitlisted(self, event: WorkerWaitlisted) -> None:
        self.waits, self.not_before = True, event.not_before

    @applies(WorkerUnlisted)
    def _unlisted(self, _: WorkerUnlisted) -> None:
        self._close()


class Pair(Aggregate):
    """The wish for two people of the pool. `wish` is sealed under the keys of both, one within the other.

    No method `applies` PairWished: it holds the wish sealed under one key. Whoever has both keys calls `keep`.
    """

    noun: ClassVar[str] = "pair"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("one",), ("other",))
    one: str
    other: str
    wish: str | None = None

    @classmethod
    def of(cls, worker: str, mate: str) -> "Pair":
        """A pair without a wish, with the same id whichever of the two is named first."""
        one, other = sorted((worker, mate))
        return cls(id=str(uuid5(NAMESPACE_URL, f"urn:amalavoro:pair:{one}:{other}")), one=one, other=other)

    def ask(self, kept: str | None, published: str | None) -> None:
        """Replace the wish, or end it with None. `kept` is sealed under both keys. `published` is sealed under that of `other`."""
        self.keep(kept)
        self.says(PairWished(one=self.one, other=self.other, wish=published))

    def keep(self, kept: str | None) -> None:
        """Set the wish, sealed under both keys: live, and again when a restored database is replayed."""
        self.wish = kept


class Place(Aggregate):
    """A building with rooms in which groups meet."""

    noun: ClassVar[str] = "place"
    title: str
    address: str
    municipality: str
    rooms: int
    access: bool

    @classmethod
    def new(cls, id: str, event: PlaceRegistered) -> "Place":
        """A place as its first event describes it."""
        return cls(id=id, **event.model_dump())

    def register(self, event: PlaceRegistered) -> None:
        """Make the place known, or correct it."""
        self.says(event)

    @applies(PlaceRegistered)
    def _registered(self, event: PlaceRegistered) -> None:
        _take_over(self, event)


class Facilitator(Aggregate):
    """A leader of groups; the id is a pseudonym. `slots` are the weekly slots in which they are free."""

    noun: ClassVar[str] = "facilitator"
    municipality: str
    travel_km: float
    slots: frozenset[str]
    groups: int

    def register(self, municipality: str, travel_km: float, slots: frozenset[str], groups: int) -> None:
        """Make the facilitator known, or correct them. No event tells where they live, how far they travel and when they are free."""
        self.municipality, self.travel_km, self.slots = municipality, travel_km, slots
        self.says(FacilitatorRegistered(groups=groups))

    @applies(FacilitatorRegistered)
    def _registered(self, event: FacilitatorRegistered) -> None:
        self.groups = event.groups


class Membership(BaseModel):
    """A seat from a day on, until a day (exclusive) if it was given up."""

    worker: str
    since: date
    until: date | None = None


class State(StrEnum):
    """The states of a group: it meets, or it does not meet any more."""

    FORMED = "formed"
    CONCLUDED = "concluded"


class Group(Aggregate):
    """A weekly slot, a place, a facilitator, and the dated ledger of members."""

    noun: ClassVar[str] = "group"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("members.worker",),
        ("place", "slot"),
        ("facilitator",),
        ("led.facilitator",),
        ("state",),
    )
    kind: Kind
    slot: str
    place: str
    facilitator: str  # whoever was assigned last
    first: date
    days: tuple[date, ...] | None = None  # of its meetings; None: formed before they were fixed
    extended: date | None = None  # the last day to which a meeting was moved, or for which one was added
    formed: datetime | None = None  # None: formed before this was kept
    state: State = State.FORMED
    concluded: date | None = None  # the last day on which it could meet
    members: list[Membership] = []
    led: list[Lead] = []  # in the order in which they were assigned; empty: by one facilitator, in an older database

    @classmethod
    def new(cls, id: str, event: GroupFormed) -> "Group":
        """A group without members, as its first event describes it."""
        return cls(id=id, **event.model_dump())

    @classmethod
    def form(cls, id: str, event: GroupFormed, workers: Sequence[str], at: datetime) -> "Group":
        """A new group in which everybody has a seat from the first meeting on."""
        group = cls.new(id, event)
        group.says(event, at)
        group.says(FacilitatorAssigned(facilitator=event.facilitator, since=event.first))
        for worker in workers:
            group.join(worker, event.first)
        return group

    def join(self, worker: str, since: date) -> None:
        """Give one more seat; the other seats stay as they are."""
        self.says(MemberJoined(worker=worker, since=since, members=len(self.sitting()) + 1))

    @property
    def leads(self) -> list[Lead]:
        """Its facilitators, each from a day on, in the order in which they were assigned."""
        return self.led or [Lead(facilitator=self.facilitator, since=self.first)]

    def entrust(self, facilitator: str, since: date, last: date) -> None:
        """Have this facilitator lead the group from that day on (`last`: the day of its last meeting). Refused: concluded, out-of-order,
        leads-already."""
        self.refuse_if_concluded()
        newest = self.leads[-1]
        in_order("The change of the facilitator", since, "the day from which the present one leads", newest.since)
        in_time("The change of the facilitator", since, "the last meeting of the group", last)
        if newest.facilitator == facilitator:
            raise Refused("leads-already", f"Facilitator {facilitator} leads group {self.id} from {newest.since} on.")
        self.says(FacilitatorAssigned(facilitator=facilitator, since=since))

    def conclude(self, last: date, on: date, reason: Ending, at: datetime) -> None:
        """End the group: it meets up to the day `on` (`last`: the day of its last meeting). Before the last meeting, the seats in it end;
        after it, the members keep them: they have what they came for. Refused: concluded, out-of-order."""
        self.refuse_if_concluded()
        at = in_order("The end of the group", at, "its forming", self.formed)
        if reason is Ending.COMPLETED:
            in_order("The end of the group", on, "its last meeting", last)
        if on < last:
            for worker in self.sitting():
                self.release(worker, on + timedelta(days=1))
        self.says(GroupConcluded(on=min(on, last), reason=reason), at)

    def go_on(self, day: date) -> None:
        """Keep facilitator and room until this day at least: a meeting was moved to it, or added for it."""
        if self.state is State.FORMED and (self.extended is None or self.extended < day):
            self.extended = day

    def refuse_if_concluded(self) -> None:
        """Refused("concluded") once the group meets no more."""
        if self.state is State.CONCLUDED:
            raise Refused("concluded", f"Group {self.id} does not meet after {self.concluded}.")

    def release(self, worker: str, on: date) -> None:
        """End the worker's seat on that day, or on its first day if that is later. Nothing when they have no seat."""
        for each in self.members:
            if each.worker == worker and each.until is None:
                self.says(MemberLeft(worker=worker, since=max(on, each.since), members=len(self.sitting()) - 1))

    def detach(self, worker: str) -> None:
        """Remove an erased person from the ledger, the pseudonym included. No event of the group tells it."""
        self.members = [each for each in self.members if each.worker != worker]

    def sitting(self) -> list[str]:
        """The workers who have a seat now."""
        return [each.worker for each in self.members if each.until is None]

    def seats(self, worker: str) -> bool:
        """True when the worker has a seat now."""
        return worker in self.sitting()

    @applies(GroupFormed, timed=True)
    def _formed(self, event: GroupFormed, at: datetime | None) -> None:
        _take_over(self, event)
        self.formed = at

    @applies(GroupConcluded)
    def _concluded(self, event: GroupConcluded) -> None:
        self.state, self.concluded = State.CONCLUDED, event.on

    @applies(FacilitatorAssigned)
    def _assigned(self, event: FacilitatorAssigned) -> None:
        lead = Lead(facilitator=event.facilitator, since=event.since)
        if self.leads[-1] != lead:
            self.led = [*self.leads, lead]
        self.facilitator = event.facilitator

    @applies(MemberJoined)
    def _joined(self, event: MemberJoined) -> None:
        self.members = [*self.members, Membership(worker=event.worker, since=event.since)]

    @applies(MemberLeft)
    def _left(self, event: MemberLeft) -> None:
        for each in self.members:
            if each.worker == event.worker and each.until is None:
                each.until = event.since


def _take_over(aggregate: Aggregate, event: BaseModel) -> None:
    """Set the fields of the aggregate to those of the event, which have the same names."""
    values: dict[str, Any] = event.model_dump()
    for name, value in values.items():
        setattr(aggregate, name, value)


def right_size(members: int, least: int, most: int) -> None:
    """Refuse a group that would be too small or too large."""
    if not least <= members <= most:
        raise Refused("wrong-size", f"A group has {least} to {most} members, not {members}.", Refusal.INVALID)
