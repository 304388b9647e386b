"""Members are told that their group meets no more; a link that was revoked is not sent. In memory: the handlers and the rules alone."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import pytest

from notifications.commands import MEANS, keep_endings
from notifications.domain import About, GroupCalendar, Message, Recipient, Status
from notifications.reactions import people
from services.contracts import Event
from services.contracts.base import EventData
from services.contracts.enrolment import Leaving, LinkPurpose, PersonalLinkIssued, PersonalLinkRevoked, WorkerWithdrawn
from services.contracts.grouping import Ending, GroupConcluded, MemberJoined, MemberLeft
from services.kernel import Aggregate
from services.programmes import load_all
from services.store.work import Work

A = TypeVar("A", bound=Aggregate)
NOW = datetime(2027, 3, 2, 9, tzinfo=UTC)
LAST = date(2027, 3, 1)
SEATED = date(2027, 1, 11)
GROUP = "g1"


class Memory:
    """A `Work` that holds aggregates, and knows who consents to contact."""

    def __init__(self) -> None:
        self.held: dict[tuple[type[Aggregate], str], Aggregate] = {}
        self.rules, self.programme, self.now = load_all()["monza-brianza"], "monza-brianza", NOW
        self.cause, self.was_restored = SimpleNamespace(correlation="c"), False
        self.consents: dict[str, bool | None] = {}

    @property
    def work(self) -> Work:
        return cast("Work", self)

    def add(self, aggregate: Aggregate) -> None:
        self.held[type(aggregate), aggregate.id] = aggregate

    async def find(self, kind: type[A], id: str) -> A | None:
        return cast("A | None", self.held.get((kind, id)))

    async def where(self, kind: type[A], **fields: Any) -> list[A]:
        """Those whose stored form has these values; `seats__group` looks into each of a list."""
        found = [each for (held, _), each in self.held.items() if held is kind]
        return [cast("A", each) for each in found if all(_has(each, *pair) for pair in fields.items())]

    async def consents_to(self, person: str, _purpose: object) -> bool | None:
        return self.consents.get(person)

    async def seal(self, _person: str, _name: str, text: str) -> str:
        return f"sealed {len(text)}"

    def messages(self, *about: str) -> dict[str, str]:
        """The state of each person's message of these kinds."""
        found: Iterable[Any] = (each for (kind, _), each in self.held.items() if kind is Message)
        return {each.worker: each.status.value for each in found if each.about in about}


def _has(aggregate: Aggregate, name: str, value: Any) -> bool:
    state, (field, *inner) = aggregate.model_dump(mode="json"), name.split("__")
    return any(each[inner[0]] == value for each in state[field]) if inner else bool(state[field] == value)


def event(subject: str, data: EventData) -> Event[Any]:
    source = f"/programmes/monza-brianza/{data.topic.split('.')[1]}"
    stamp: dict[str, Any] = {"time": NOW, "recordedtime": NOW, "sequence": 1}
    return Event(
        id=f"{subject}-{type(data).__name__}", source=source, type=data.type, subject=subject, data=data, **stamp
    )


async def joins(memory: Memory, *workers: str) -> None:
    for each in workers:
        told = event(GROUP, MemberJoined(worker=each, since=SEATED))
        await people.when_somebody_has_a_seat_it_is_announced(told, memory.work)


async def leaves(memory: Memory, worker: str, since: date) -> None:
    told = event(GROUP, MemberLeft(worker=worker, since=since))
    await people.when_a_seat_is_given_up_nobody_is_called_to_it(told, memory.work)


async def concludes(memory: Memory, reason: Ending = Ending.TOO_FEW, on: date = LAST) -> None:
    told = event(GROUP, GroupConcluded(on=on, reason=reason))
    await people.when_a_group_is_concluded_nobody_is_called_to_it(told, memory.work)


async def test_whoever_sat_in_a_group_to_its_early_end_is_told_and_whoever_had_left_is_not() -> None:
    memory = Memory()
    memory.consents = {"ada": True, "bea": None, "carlo": False, "dario": True, "elsa": True}
    await joins(memory, *memory.consents)
    await leaves(memory, "dario", LAST)  # by themself, on the day on which the group ended
    withdrawn = event("elsa", WorkerWithdrawn(reason=Leaving.NO_TIME))
    await people.when_somebody_withdraws_they_are_called_and_asked_no_more(withdrawn, memory.work)
    for each in ("ada", "bea", "carlo", "elsa"):
        await leaves(memory, each, LAST + timedelta(days=1))  # with the group
    await concludes(memory)
    await concludes(memory)  # taken again after a restore
    assert memory.messages(About.GROUP_ENDED) == {"ada": "queued", "bea": "held", "carlo": "held"}
    assert memory.messages(About.GROUP_COMPLETED) == {}


async def test_members_who_keep_their_seats_are_told_that_the_group_has_concluded() -> None:
    memory = Memory()
    memory.consents = {"ada": True}
    await joins(memory, "ada", "bea")
    await concludes(memory, Ending.COMPLETED)
    assert memory.messages(About.GROUP_COMPLETED) == {"ada": "queued", "bea": "held"}
    bea = await memory.find(Recipient, "bea")
    assert bea is not None
    memory.consents["bea"] = True
    await keep_endings(bea, memory.work)
    assert memory.messages(About.GROUP_COMPLETED)["bea"] == "queued"
    memory.consents["bea"] = False
    await keep_endings(bea, memory.work)
    assert memory.messages(About.GROUP_COMPLETED)["bea"] == "held"
    memory.now += MEANS
    memory.consents["bea"] = True
    await keep_endings(bea, memory.work)
    assert memory.messages(About.GROUP_COMPLETED)["bea"] == "dropped", "after weeks it is no news"


async def test_whoever_withdraws_before_it_is_sent_gets_no_message_about_their_group() -> None:
    memory = Memory()
    memory.consents = {"ada": True}
    await joins(memory, "ada")
    await concludes(memory, Ending.COMPLETED)
    withdrawn = event("ada", WorkerWithdrawn(reason=Leaving.NO_TIME))
    await people.when_somebody_withdraws_they_are_called_and_asked_no_more(withdrawn, memory.work)
    assert memory.messages(About.GROUP_COMPLETED) == {"ada": "dropped"}


async def test_the_end_of_a_group_of_a_list_that_is_entered_late_is_told_to_nobody() -> None:
    memory = Memory()
    memory.consents = {"ada": True}
    await joins(memory, "ada")
    await concludes(memory, Ending.COMPLETED, LAST - MEANS)
    assert memory.messages(About.GROUP_COMPLETED) == {}


@pytest.mark.parametrize(("revoked", "status"), [(LinkPurpose.ME, Status.DROPPED), (LinkPurpose.LEAVE, Status.QUEUED)])
async def test_a_personal_link_that_was_revoked_before_it_was_sent_is_not_sent(
    revoked: LinkPurpose, status: Status
) -> None:
    memory = Memory()
    issued = PersonalLinkIssued(worker="ada", purpose=LinkPurpose.ME, token="t" * 43, expires=NOW + timedelta(days=1))
    await people.when_a_personal_link_is_issued_it_is_sent(event("ada", issued), memory.work)
    told = event("ada", PersonalLinkRevoked(purpose=revoked))
    await people.when_a_personal_link_is_revoked_it_is_not_sent(told, memory.work)
    assert memory.messages(About.PERSONAL_LINK) == {"ada": status.value}
    (message,) = [each for (kind, _), each in memory.held.items() if kind is Message]
    assert (cast("Message", message).sealed is None) is (status is Status.DROPPED), (
        "a token is kept no longer than needed"
    )


async def test_the_calendar_of_a_group_knows_its_end_for_the_text_of_the_message() -> None:
    memory = Memory()
    await joins(memory, "ada")
    await concludes(memory)
    calendar = await memory.find(GroupCalendar, GROUP)
    assert calendar is not None
    assert calendar.concluded == LAST
