"""Who waits, who sits where. Nobody sits in two groups, no group is smaller or larger than the programme says when it is formed.

A seat is written in one place, the group's ledger; whoever gives one away has guarded the person, the place and the facilitator, so
that two who both saw it free cannot both take it.
"""

from datetime import date
from enum import StrEnum
from typing import ClassVar
from uuid import NAMESPACE_URL, uuid5

from pydantic import BaseModel

from services.contracts.grouping import (
    FacilitatorAssigned,
    FacilitatorRegistered,
    GroupFormed,
    Kind,
    MemberJoined,
    MemberLeft,
    PairWished,
    PlaceRegistered,
    WorkerUnlisted,
    WorkerWaitlisted,
)
from services.kernel import Aggregate, Refusal, Refused


class Seeker(Aggregate):
    """Somebody on the way to a seat. Waits once admitted and described; `profile` is sealed under the person's key."""

    noun: ClassVar[str] = "seeker"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("waits",),)
    admitted: date | None = None
    profile: str | None = None
    not_before: date | None = None
    waits: bool = False
    gone: bool = False
    trace: str | None = None  # the trace in which they came into the pool, for the formation to link to

    def admit(self, on: date, trace: str | None) -> None:
        """Admitted on that day."""
        self.admitted, self.trace = on, trace
        self._wait()

    def describe(self, sealed: str, not_before: date | None) -> None:
        """What to match on, whole."""
        self.profile, self.not_before = sealed, not_before
        self._wait()

    def _wait(self) -> None:
        if self.admitted is not None and self.profile is not None and not self.waits and not self.gone:
            self.waits = True
            self.says(WorkerWaitlisted(not_before=self.not_before))

    def leave(self) -> None:
        """Waits no more, and never again."""
        if self.waits:
            self.says(WorkerUnlisted())
        self.waits, self.gone, self.profile = False, True, None


class Pair(Aggregate):
    """What is asked of two people of the pool. `wish` is sealed under the keys of both, one within the other."""

    noun: ClassVar[str] = "pair"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("one",), ("other",))
    one: str
    other: str
    wish: str | None = None

    @classmethod
    def of(cls, worker: str, mate: str) -> "Pair":
        """The same, whichever of the two is named first."""
        one, other = sorted((worker, mate))
        return cls(id=str(uuid5(NAMESPACE_URL, f"urn:amalavoro:pair:{one}:{other}")), one=one, other=other)

    def ask(self, kept: str | None, told: str | None) -> None:
        """From now on this is asked, or nothing. `told` is what goes into the event, which is itself sealed under the key of `one`."""
        self.wish = kept
        self.says(PairWished(one=self.one, other=self.other, wish=told))


class Place(Aggregate):
    """Where groups meet."""

    noun: ClassVar[str] = "place"
    title: str
    address: str
    municipality: str
    rooms: int
    access: bool

    def register(self) -> None:
        """Known from now on, or corrected."""
        self.says(PlaceRegistered.model_validate(self.model_dump()))


class Facilitator(Aggregate):
    """Who leads groups; the id is a pseudonym. `slots` are the weekly slots in which they are free."""

    noun: ClassVar[str] = "facilitator"
    municipality: str
    travel_km: float
    slots: frozenset[str]
    groups: int

    def register(self) -> None:
        """Known from now on, or corrected."""
        self.says(FacilitatorRegistered(groups=self.groups))


class Membership(BaseModel):
    """A seat from a day on, until a day (exclusive) if it was given up."""

    worker: str
    since: date
    until: date | None = None


class State(StrEnum):
    """A group's life."""

    FORMED = "formed"
    CONCLUDED = "concluded"


class Group(Aggregate):
    """A weekly slot, a place, a facilitator, and the dated ledger of members."""

    noun: ClassVar[str] = "group"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("members.worker",), ("place", "slot"), ("facilitator",))
    kind: Kind
    slot: str
    place: str
    facilitator: str
    first: date
    state: State = State.FORMED
    members: list[Membership] = []

    def form(self, workers: list[str]) -> None:
        """Everybody has a seat from the first meeting on."""
        self.says(
            GroupFormed(
                kind=self.kind, slot=self.slot, place=self.place, facilitator=self.facilitator, first=self.first
            )
        )
        self.says(FacilitatorAssigned(facilitator=self.facilitator, since=self.first))
        for worker in workers:
            self.join(worker, self.first)

    def join(self, worker: str, since: date) -> None:
        """One seat more; nobody who sits moves."""
        self.members.append(Membership(worker=worker, since=since))
        self.says(MemberJoined(worker=worker, since=since))

    def sitting(self) -> list[str]:
        """Who has a seat now."""
        return [each.worker for each in self.members if each.until is None]

    def seats(self, worker: str) -> bool:
        """Whether they have a seat now."""
        return worker in self.sitting()

    def release(self, worker: str, on: date) -> None:
        """The seat is free from that day on."""
        for each in self.members:
            if each.worker == worker and each.until is None:
                each.until = max(on, each.since)
                self.says(MemberLeft(worker=worker, since=each.until))

    def detach(self, worker: str) -> None:
        """Of an erased person not even the pseudonym stays in the ledger."""
        self.members = [each for each in self.members if each.worker != worker]


def right_size(members: int, least: int, most: int) -> None:
    """Refused when a group would be too small or too large."""
    if not least <= members <= most:
        raise Refused("wrong-size", f"A group has {least} to {most} members, not {members}.", Refusal.INVALID)
