"""Messages, surveys, feeds and figures agree with the consents of a person at each moment, whatever the order in which decisions and facts
arrive. The rooms' own reactions and handlers of the gate run here in memory; what is replaced is the database alone.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.domain import LedgerEntry, Message, Status
from notifications.domain.partners import CLOSING
from notifications.kept_mail import KeptMail
from notifications.reactions import gate_with, reactions_with
from services import programmes
from services.contracts import Event, EventData
from services.contracts.enrolment import ConsentChanged, Purpose, WorkerAdmitted, WorkerReferred
from services.contracts.grouping import MemberJoined
from services.contracts.sessions import SessionScheduled, SurveyLinked
from services.events.delivery.declare import Gate, Reactions
from services.kernel import Aggregate
from services.store.aggregates import matches
from services.store.consents import Consents, Decision
from sessions import reactions as surveying
from sessions.domain import Roster, Survey
from sessions.domain.surveys import Status as Asked

WORKER, GROUP = "w1", "g1"
BEGIN = datetime(2026, 10, 5, 9, tzinfo=UTC)
NOW = BEGIN + timedelta(days=20)
RULES = programmes.load_all()["monza-brianza"]


def pseudonym(_programme: str, partner: str, person: str) -> str:
    return f"{partner}-{person}"


class Room:
    """The part of `Work` that reactions use, with aggregates in a dict, and the consents as the gate of this room knows them."""

    def __init__(self, reactions: Reactions, gate: Gate) -> None:
        self.reactions, self.gate = reactions, gate
        self.held: dict[tuple[type[Aggregate], str], Aggregate] = {}
        self.known = Consents(f"{RULES.id}/{WORKER}", RULES.id)
        self.rules, self.programme, self.now, self.at, self.was_restored = RULES, RULES.id, NOW, NOW, False
        self.cause = SimpleNamespace(correlation="c", traceparent=None)

    async def find(self, kind: type[Any], id: str) -> Any:
        return self.held.get((kind, id))

    peek = get = find

    async def where(self, kind: type[Any], **fields: Any) -> list[Any]:
        return [
            each
            for (of, _), each in sorted(self.held.items(), key=lambda held: held[0][1])
            if of is kind and matches(each, fields)
        ]

    browse = where

    def add(self, aggregate: Aggregate) -> None:
        self.held[type(aggregate), aggregate.id] = aggregate

    async def consents(self, _: str) -> Consents:
        return self.known

    peek_consents = consents

    async def consents_to(self, _: str, purpose: Purpose) -> bool | None:
        return self.known.allow(purpose)

    async def seal(self, person: str, name: str, text: str) -> str:
        return f"{person}/{name}/{len(text)}"

    def of(self, kind: type[Any]) -> list[Any]:
        return [each for (of, _), each in self.held.items() if of is kind]

    async def take(self, event: Event[Any]) -> None:
        """Take one event: a decision by the gate, anything else by the reactions to its type."""
        if isinstance(event.data, ConsentChanged):
            decision = Decision(event.data.purpose, event.data.given, event.time, event.sequence, event.id)
            decisions = (*self.known.decisions, decision.document())
            self.known = Consents(self.known.id, self.programme, decisions)
            for handler in self.gate.handlers.get(event.type, ()):
                await handler(event.subject, self)
        else:
            for reaction in self.reactions.handlers.get(event.type, ()):
                await reaction(event, self)


@dataclass
class World:
    """The rooms, and what the person has decided so far by the events that have arrived."""

    telling: Room = field(default_factory=lambda: Room(reactions_with(pseudonym), gate_with(pseudonym, KeptMail(None))))
    asking: Room = field(default_factory=lambda: Room(surveying.reactions, surveying.gate))

    def __post_init__(self) -> None:
        self.asking.add(Roster(id=GROUP, slot="mon-evening", place="p1", facilitator="f1"))

    async def play(self, events: Sequence[Event[Any]]) -> None:
        for event in events:
            for room in (self.telling, self.asking):
                await room.take(event)
            self.agree()

    def agree(self) -> None:
        """Compare what the rooms would do at this moment with what the person has consented to."""
        assert self.telling.known == self.asking.known
        allowed = {each: self.telling.known.allow(each) for each in Purpose}
        for message in self.telling.of(Message):
            if message.status is Status.QUEUED:
                assert allowed[Purpose.CONTACT] is True, message
                assert message.about != "survey" or allowed[Purpose.RESEARCH] is True, message
        for survey in self.asking.of(Survey):
            if survey.status in {Asked.PLANNED, Asked.INVITED}:
                assert allowed[Purpose.RESEARCH] is True, survey
        for entry in self.telling.of(LedgerEntry):
            if entry.fact.type not in CLOSING and entry.subject != "-":
                assert allowed[Purpose.PARTNER_FEEDBACK] is True, entry

    @property
    def outcome(self) -> tuple[Any, ...]:
        """The state at the end, without the order in which it came to be."""
        messages = sorted(
            (each.about, each.reference) for each in self.telling.of(Message) if each.status is Status.QUEUED
        )
        surveys = sorted(
            (each.wave, each.status.value) for each in self.asking.of(Survey) if each.status is not Asked.DROPPED
        )
        return messages, surveys, {each: self.telling.known.allow(each) for each in Purpose}


def event(data: EventData, subject: str, sequence: int, day: float) -> Event[Any]:
    at = BEGIN + timedelta(days=day)
    kind = type(data)
    source = f"/programmes/{RULES.id}/{kind.topic.removeprefix('ama.').replace('.', '/')}"
    told = Event(f"{kind.type}/{subject}/{sequence}", source, kind.type, subject, at, max(at, NOW), sequence, data)
    # A meeting is scheduled since its group was formed; one without such a cause would be an operator's.
    return told._replace(causationid="the forming of the group") if kind is SessionScheduled else told


FACTS = (
    (
        event(WorkerReferred(partner="cgil"), WORKER, 100, 0),
        event(WorkerAdmitted(partner="cgil"), WORKER, 101, 3),
    ),
    (event(MemberJoined(worker=WORKER, since=(NOW + timedelta(days=7)).date(), members=10), GROUP, 3, 5),),
    (
        event(SessionScheduled(group=GROUP, number=1, starts=NOW + timedelta(days=9), place="p1"), "s1", 1, 6),
        event(
            SurveyLinked(
                worker=WORKER, instrument="ama-own", wave="T0", due=NOW.date(), until=(NOW + timedelta(days=9)).date(),
                token="t" * 43,
            ), "v1", 2, 6,
        ),
    ),
)  # fmt: skip
DECIDED = st.lists(st.tuples(st.sampled_from(Purpose), st.booleans(), st.integers(0, 10)), max_size=9)


def decisions(decided: Sequence[tuple[Purpose, bool, int]]) -> list[Event[Any]]:
    told = (ConsentChanged(purpose=purpose, given=said, notice="1", language="it") for purpose, said, _ in decided)
    return [
        event(data, WORKER, number, day)
        for number, (data, (_, _, day)) in enumerate(zip(told, decided, strict=True), 1)
    ]


@st.composite
def orders(draw: st.DrawFn) -> tuple[list[Event[Any]], list[Event[Any]]]:
    """Two orders of the same events. Facts of one topic keep their order; decisions come in any, as the gate takes them."""
    made = decisions(draw(DECIDED))

    def merged() -> list[Event[Any]]:
        streams = [[each] for each in made] + [list(each) for each in FACTS]
        found: list[Event[Any]] = []
        while left := [each for each in streams if each]:
            found.append(draw(st.sampled_from(left)).pop(0))
        return found

    return merged(), merged()


@given(orders())
@settings(max_examples=80, deadline=None)
def test_at_each_moment_the_rooms_agree_with_the_consents_and_at_the_end_the_order_does_not_matter(
    two: tuple[list[Event[Any]], list[Event[Any]]],
) -> None:
    one, other = World(), World()
    asyncio.run(one.play(two[0]))
    asyncio.run(other.play(two[1]))
    assert one.outcome == other.outcome


def played(*said: tuple[Purpose, bool, int]) -> World:
    world = World()
    asyncio.run(world.play([*decisions(said), *(each for stream in FACTS for each in stream)]))
    return world


ALL = tuple((each, True, 0) for each in Purpose)


def test_with_every_consent_the_person_is_written_to_asked_and_told_of() -> None:
    world = played(*ALL)
    assert [each[0] for each in world.outcome[0]] == ["seat", "survey"]
    assert {each.status for each in world.asking.of(Survey)} == {Asked.PLANNED, Asked.INVITED}
    assert len([each for each in world.telling.of(LedgerEntry) if each.subject != "-"]) == 3


def test_the_later_decision_in_the_world_counts_though_it_was_typed_in_first() -> None:
    later_first = played(*ALL, (Purpose.CONTACT, False, 9), (Purpose.CONTACT, True, 4))
    assert later_first.outcome[0] == []
    assert played(*ALL, (Purpose.CONTACT, True, 4), (Purpose.CONTACT, False, 9)).outcome == later_first.outcome


def test_a_room_that_forgot_to_ask_would_be_found() -> None:
    world = played(*ALL)
    refusal = decisions([*ALL, (Purpose.CONTACT, False, 9)])[-1]
    world.telling.gate = Gate()  # nobody drops what is queued
    failed = False
    try:
        asyncio.run(world.play([refusal]))
    except AssertionError:
        failed = True
    assert failed
