"""Members are told that a meeting is moved, added or cancelled. In memory: the handlers and the rules alone."""

from datetime import datetime, timedelta

from notifications.domain import About, GroupCalendar, Message, Recipient
from notifications.reactions import people
from services.contracts.sessions import Cancelling, SessionCancelled, SessionMoved, SessionScheduled
from tests.notifications.memory import GROUP, NOW, SEATED, Memory, event, joins, leaves

SOON = NOW.replace(hour=18) + timedelta(days=6)


async def scheduled(memory: Memory, *, added: bool = False, number: int = 1, starts: datetime = SOON) -> None:
    told = event(f"s{number}", SessionScheduled(group=GROUP, number=number, starts=starts, place="p"))
    cause = None if added else "the forming of the group"
    await people.when_a_meeting_is_scheduled_messages_can_name_it(told._replace(causationid=cause), memory.work)


async def moves(memory: Memory, to: datetime, id: str = "m1") -> None:
    told = event("s1", SessionMoved(group=GROUP, number=1, starts=to, place="q"))
    await people.when_a_meeting_is_moved_its_members_are_told(told._replace(id=id), memory.work)


async def cancels(memory: Memory, reason: Cancelling | None = Cancelling.NO_PLACE) -> None:
    told = event("s1", SessionCancelled(group=GROUP, number=1, reason=reason))
    await people.when_a_meeting_is_cancelled_its_members_are_told(told, memory.work)


async def a_group(*members: str) -> Memory:
    memory = Memory()
    memory.consents = dict.fromkeys(members, True)
    await scheduled(memory)
    await joins(memory, *members)
    return memory


def calendar(memory: Memory) -> GroupCalendar:
    (found,) = [each for (kind, _), each in memory.held.items() if kind is GroupCalendar]
    assert isinstance(found, GroupCalendar)
    return found


async def test_members_are_told_of_a_move_once_consent_allows_it_and_later_messages_name_the_new_date() -> None:
    memory = await a_group("ada", "bea", "carlo")
    memory.consents |= {"bea": None, "carlo": False}
    await moves(memory, SOON + timedelta(days=1))
    assert memory.messages(About.MEETING_MOVED) == {"ada": "queued", "bea": "held", "carlo": "held"}
    first = calendar(memory).first_from(SEATED)
    assert first is not None
    assert (first.starts, first.place) == (SOON + timedelta(days=1), "q")


async def test_a_meeting_that_is_moved_twice_gives_one_message() -> None:
    memory = await a_group("ada")
    await moves(memory, SOON + timedelta(days=1), "m1")
    await moves(memory, SOON + timedelta(days=1), "m1")  # taken again after a restore
    await moves(memory, SOON + timedelta(days=2), "m2")
    states = [each.status.value for each in memory.held.values() if isinstance(each, Message)]
    assert states.count("queued") == 2, "the seat and the newest date"
    assert states.count("dropped") == 1


async def test_a_cancelled_meeting_is_told_and_drops_what_was_to_be_told_of_its_move() -> None:
    memory = await a_group("ada")
    await moves(memory, SOON + timedelta(days=1))
    await cancels(memory)
    assert memory.messages(About.MEETING_MOVED) == {"ada": "dropped"}
    assert memory.messages(About.MEETING_CANCELLED) == {"ada": "queued"}
    assert calendar(memory).first_from(SEATED) is None, "nobody is called to it"


async def test_a_meeting_that_is_off_since_its_group_ended_is_told_as_the_end_alone() -> None:
    memory = await a_group("ada")
    await cancels(memory, None)
    assert memory.messages(About.MEETING_CANCELLED) == {}


async def test_an_added_meeting_is_told_and_those_of_a_new_group_are_not() -> None:
    memory = await a_group("ada")
    assert memory.messages(About.MEETING_ADDED) == {}
    await scheduled(memory, added=True, number=2, starts=SOON + timedelta(days=14))
    assert memory.messages(About.MEETING_ADDED) == {"ada": "queued"}


async def test_whoever_left_the_group_is_not_told_and_a_date_that_is_past_is_told_to_nobody() -> None:
    memory = await a_group("ada", "bea")
    await moves(memory, SOON + timedelta(days=1))
    await leaves(memory, "ada", NOW.date())
    assert memory.messages(About.MEETING_MOVED) == {"ada": "dropped", "bea": "queued"}
    memory = await a_group("ada")
    await moves(memory, NOW - timedelta(days=2))
    assert memory.messages(About.MEETING_MOVED) == {}


async def test_whoever_begins_later_than_the_meeting_is_not_told() -> None:
    memory = await a_group()
    memory.consents = {"late": True}
    recipient = Recipient(id="late")
    recipient.take_seat(GROUP, (SOON + timedelta(days=8)).date())
    memory.add(recipient)
    await moves(memory, SOON + timedelta(days=1))
    assert memory.messages(About.MEETING_MOVED) == {}
