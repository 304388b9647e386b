"""Personal links: who gets one, how long it opens something, and what opens by it. Nobody keeps a token."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrolment.commands import Correct, correct
from enrolment.domain import LASTS, Link, Status, Worker, digest_of
from enrolment.personal import commands as do
from enrolment.replay import replays
from services.contracts import Event
from services.contracts.enrolment import (
    Leaving,
    LinkPurpose,
    PersonalLinkIssued,
    PersonalLinkRevoked,
    Purpose,
    WithdrawalExplained,
    WorkerErased,
    WorkerWithdrawn,
)
from services.kernel import Refusal, Refused
from tests.enrolment.memory import MemoryWork
from tests.enrolment.workers import AT, TRACE, decide, in_status, recorded, sealed

ME, LEAVE, ERASE = LinkPurpose
MINUTE = timedelta(minutes=1)
TOKENS = ["a" * 43, "b" * 43, "c" * 43]


def reachable(status: Status = Status.ADMITTED) -> Worker:
    """A worker in this status to whom a message can be sent."""
    worker = in_status(status)
    if status is not Status.ERASED:
        worker.card = {"email": "sealed"}
        decide(worker, Purpose.CONTACT, True)
    worker._events.clear()
    return worker


def code_of(refused: pytest.ExceptionInfo[Refused]) -> str:
    return refused.value.code


@pytest.mark.parametrize("purpose", LinkPurpose)
def test_a_link_opens_its_purpose_until_it_expires(purpose: LinkPurpose) -> None:
    worker = reachable()
    expires = worker.link(purpose, TOKENS[0], AT)
    assert expires == AT + LASTS[purpose]
    assert worker.opened_by(TOKENS[0], expires - timedelta(seconds=1)) is purpose
    assert worker.opened_by(TOKENS[0], expires) is None
    assert worker.opened_by(TOKENS[1], AT) is None


def test_the_token_is_in_the_event_alone_and_the_worker_keeps_its_digest() -> None:
    worker = reachable()
    worker.link(ME, TOKENS[0], AT)
    assert recorded(worker) == [PersonalLinkIssued(worker="w1", purpose=ME, token=TOKENS[0], expires=AT + LASTS[ME])]
    assert TOKENS[0] not in worker.model_dump_json()
    assert worker.links == (Link(purpose=ME, digest=digest_of(TOKENS[0]), expires=AT + LASTS[ME]),)
    assert TOKENS[0] not in repr(recorded(worker))


def test_the_newest_link_of_a_purpose_replaces_the_one_before_and_no_other() -> None:
    worker = reachable()
    worker.link(ME, TOKENS[0], AT)
    worker.link(ERASE, TOKENS[1], AT)
    worker.link(ME, TOKENS[2], AT)
    assert [worker.opened_by(each, AT) for each in TOKENS] == [None, ERASE, ME]


def test_a_revoked_link_opens_nothing_and_a_second_revocation_records_nothing() -> None:
    worker = reachable()
    worker.link(ME, TOKENS[0], AT)
    worker._events.clear()
    for _ in range(2):
        worker.unlink(ME)
    assert worker.opened_by(TOKENS[0], AT) is None
    assert recorded(worker) == [PersonalLinkRevoked(purpose=ME)]


def test_nobody_gets_a_link_who_has_no_address() -> None:
    worker = reachable()
    worker.card = {"given_name": "sealed"}
    with pytest.raises(Refused) as refused:
        worker.link(ME, TOKENS[0], AT)
    assert code_of(refused) == worker.unreachable == "no-address"


@pytest.mark.parametrize("purpose", [Purpose.CONTACT, Purpose.PARTICIPATION])
def test_nobody_gets_a_link_who_does_not_want_to_be_written_to(purpose: Purpose) -> None:
    worker = reachable(Status.REFERRED)
    decide(worker, purpose, False)
    with pytest.raises(Refused) as refused:
        worker.link(ME, TOKENS[0], AT)
    assert code_of(refused) == worker.unreachable == "no-contact"


def test_a_telephone_is_an_address_too() -> None:
    worker = reachable()
    worker.card = {"phone": "sealed"}
    assert worker.unreachable is None


@pytest.mark.parametrize("status", [Status.DECLINED, Status.WITHDRAWN])
def test_nobody_confirms_to_leave_what_they_are_not_in(status: Status) -> None:
    worker = reachable(status)
    with pytest.raises(Refused) as refused:
        worker.link(LEAVE, TOKENS[0], AT)
    assert code_of(refused) == "not-enrolled"
    worker.link(ERASE, TOKENS[0], AT)


@pytest.mark.parametrize("purpose", LinkPurpose)
def test_an_erased_person_gets_no_link(purpose: LinkPurpose) -> None:
    with pytest.raises(Refused) as refused:
        reachable(Status.ERASED).link(purpose, TOKENS[0], AT)
    assert code_of(refused) == "erased"


@pytest.mark.parametrize("purpose", [LEAVE, ERASE])
def test_whoever_asks_for_the_same_confirmation_twice_in_a_moment_gets_one_message(purpose: LinkPurpose) -> None:
    worker = reachable()
    worker.link(purpose, TOKENS[0], AT)
    with pytest.raises(Refused) as refused:
        worker.link(purpose, TOKENS[1], AT + MINUTE)
    assert code_of(refused) == "link-sent"
    assert worker.opened_by(TOKENS[0], AT + MINUTE) is purpose
    worker.link(purpose, TOKENS[1], AT + 2 * MINUTE)
    assert worker.opened_by(TOKENS[0], AT + 2 * MINUTE) is None


@given(st.lists(st.tuples(st.sampled_from(LinkPurpose), st.booleans()), max_size=8))
async def test_replay_gives_the_same_links(steps: list[tuple[LinkPurpose, bool]]) -> None:
    live, again = reachable(), reachable()
    for number, (purpose, issues) in enumerate(steps):
        now = AT + number * 3 * MINUTE
        live.link(purpose, f"{number:043}", now) if issues else live.unlink(purpose)
    work = MemoryWork(again)
    for number, each in enumerate(live._events, 1):
        data = each.data
        event = Event("e", "/programmes/smoke/enrolment", data.type, "w1", AT, AT, number, data)  # type: ignore[attr-defined]
        for handler in replays.handlers[data.type]:  # type: ignore[attr-defined]
            await handler(event, work.as_work)
    assert again.links == live.links


async def test_a_command_issues_a_new_random_token_each_time_and_answers_without_it() -> None:
    worker = reachable()
    work = MemoryWork(worker)
    work.cause.traceparent = "another"
    answers = [await do.issue_link(do.IssueLink(worker="w1"), work.as_work) for _ in range(3)]
    tokens = [each.token for each in recorded(worker)]
    assert len(set(tokens)) == 3
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", each) for each in tokens)
    assert answers == [{"worker": "w1", "expires": (AT + LASTS[ME]).isoformat()}] * 3
    assert work.cause.traceparent == TRACE
    assert work.accesses == [("w1", "link")]


async def test_a_command_revokes_the_link() -> None:
    worker = reachable()
    worker.link(ME, TOKENS[0], AT)
    await do.revoke_link(do.RevokeLink(worker="w1"), MemoryWork(worker).as_work)
    assert worker.opened_by(TOKENS[0], AT) is None


async def test_leaving_is_confirmed_once_by_its_own_link() -> None:
    worker = reachable()
    worker.link(LEAVE, TOKENS[0], AT)
    worker._events.clear()
    command = do.ConfirmLeaving(worker="w1", token=TOKENS[0], reason=Leaving.FOUND_WORK)
    await do.confirm_leaving(command, MemoryWork(worker).as_work)
    assert recorded(worker) == [
        WorkerWithdrawn(reason=Leaving.FOUND_WORK),
        WithdrawalExplained(reason=Leaving.FOUND_WORK),
    ]
    with pytest.raises(Refused) as refused:
        await do.confirm_leaving(command, MemoryWork(worker).as_work)
    assert (code_of(refused), refused.value.kind) == ("no-such-link", Refusal.NOT_FOUND)


async def test_an_erasure_is_confirmed_once_by_its_own_link_and_destroys_the_key() -> None:
    worker = reachable()
    worker.link(ERASE, TOKENS[0], AT)
    worker._events.clear()
    work = MemoryWork(worker)
    await do.confirm_erasure(do.ConfirmErasure(worker="w1", token=TOKENS[0]), work.as_work)
    assert ([type(each) for each in recorded(worker)], work.destroyed, worker.links) == ([WorkerErased], ["w1"], ())
    with pytest.raises(Refused) as refused:
        await do.confirm_erasure(do.ConfirmErasure(worker="w1", token=TOKENS[0]), work.as_work)
    assert code_of(refused) == "no-such-link"


@pytest.mark.parametrize("purpose", LinkPurpose)
@pytest.mark.parametrize("late", [False, True], ids=["in-time", "too-late"])
async def test_a_link_of_another_purpose_or_an_expired_one_confirms_nothing(purpose: LinkPurpose, late: bool) -> None:
    worker = reachable()
    worker.link(purpose, TOKENS[0], AT)
    worker._events.clear()
    work = MemoryWork(worker)
    work.now = work.at = AT + (LASTS[purpose] if late else MINUTE)
    leaves = do.ConfirmLeaving(worker="w1", token=TOKENS[0], reason=Leaving.OTHER)
    erases = do.ConfirmErasure(worker="w1", token=TOKENS[0])
    if late or purpose is not LEAVE:
        with pytest.raises(Refused):
            await do.confirm_leaving(leaves, work.as_work)
    if late or purpose is not ERASE:
        with pytest.raises(Refused):
            await do.confirm_erasure(erases, work.as_work)
    assert (recorded(worker), work.destroyed) == ([], [])


async def test_leaving_ends_the_link_to_confirm_it_however_the_worker_left() -> None:
    worker = reachable()
    worker.link(LEAVE, TOKENS[0], AT)
    worker.link(ME, TOKENS[1], AT)
    worker.withdraw(Leaving.OTHER, AT)
    assert [worker.opened_by(each, AT) for each in TOKENS[:2]] == [None, ME]


@pytest.mark.parametrize(
    ("card", "stays"),
    [
        ({"given_name": "Adele", "email": "ada@example.org"}, True),
        ({"given_name": "Ada", "email": "bea@example.org"}, False),
        ({"given_name": "Ada", "phone": "+393331234567"}, False),
    ],
    ids=["name", "address", "another-way"],
)
async def test_a_link_that_went_to_a_wrong_address_opens_nothing_once_that_is_corrected(
    card: dict[str, str], stays: bool
) -> None:
    worker = reachable()
    worker.card = {
        name: sealed("w1", name, text) for name, text in {"given_name": "Ada", "email": "ada@example.org"}.items()
    }
    worker.link(ME, TOKENS[0], AT)
    await correct(Correct(worker="w1", card=card), MemoryWork(worker).as_work)
    assert worker.opened_by(TOKENS[0], AT) is (ME if stays else None)
