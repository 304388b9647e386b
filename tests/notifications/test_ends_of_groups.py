"""Members are told that their group meets no more; a link that was revoked is not sent. In memory: the handlers and the rules alone."""

from datetime import date, timedelta
from typing import cast

import pytest

from notifications.commands import MEANS, keep_endings
from notifications.domain import About, GroupCalendar, Message, Recipient, Status
from notifications.reactions import people
from services.contracts.enrolment import Leaving, LinkPurpose, PersonalLinkIssued, PersonalLinkRevoked, WorkerWithdrawn
from services.contracts.grouping import Ending, GroupConcluded
from tests.notifications.memory import GROUP, LAST, NOW, Memory, event, joins, leaves


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
