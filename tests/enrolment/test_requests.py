"""Rules of requests to services: each step from each status, links, and what an answer needs."""

from datetime import timedelta

import pytest

from enrolment.domain import RequestStatus, ServiceRequest
from services.contracts.paths import Answer, Ending, NeedMet, RefusalReason, ServiceAnswered, ServiceCompleted
from services.kernel import Refusal, Refused
from tests.enrolment.requests import AT, CASES, LATER, STEPS, TOKEN, TRANSITIONS, in_status, linked


def test_the_table_has_every_status_and_every_step() -> None:
    assert TRANSITIONS.keys() == set(RequestStatus)
    assert all(steps.keys() == STEPS.keys() for steps in TRANSITIONS.values())


@pytest.mark.parametrize(("status", "step", "after"), CASES)
def test_a_step_leads_on_or_is_refused_and_then_changes_nothing(
    status: RequestStatus, step: str, after: RequestStatus | str
) -> None:
    request = in_status(status)
    before = request.model_copy()
    if isinstance(after, RequestStatus):
        STEPS[step].act(request)
        assert request.status is after
        assert len(request._events) == 1
        return
    with pytest.raises(Refused) as refused:
        STEPS[step].act(request)
    assert refused.value.code == after
    assert request.model_dump() == before.model_dump()
    assert request._events == []


def test_the_same_events_give_the_same_state_again() -> None:
    live = ServiceRequest.make("r1", "w1", "dote", "afol", AT)
    live.link(linked(), AT)
    live.take_answer(Answer.NEEDS_ASSESSMENT, None, LATER)
    live.take_answer(Answer.ACCEPTED, None, LATER)
    live.end(Ending.COMPLETED, LATER)
    live.tell_need(NeedMet.YES, LATER)
    again = ServiceRequest(id="r1", worker="w1", service="dote", receiver="afol")
    for each in live._events:
        again.apply(each.data, each.at)
    assert again.model_dump() == live.model_dump()


def test_a_refusal_needs_a_reason_and_no_other_answer_keeps_one() -> None:
    with pytest.raises(Refused) as refused:
        in_status(RequestStatus.REQUESTED).take_answer(Answer.REFUSED, None, LATER)
    assert (refused.value.code, refused.value.kind) == ("no-reason", Refusal.INVALID)
    accepted = in_status(RequestStatus.REQUESTED)
    accepted.take_answer(Answer.ACCEPTED, RefusalReason.OTHER, LATER)
    [event] = accepted._events
    assert isinstance(event.data, ServiceAnswered)
    assert (accepted.reason, event.data.reason) == (None, None)


def test_who_may_be_named_said_so_in_some_way() -> None:
    with pytest.raises(Refused) as refused:
        ServiceRequest.make("r1", "w1", "dote", "afol", AT, told=True)
    assert refused.value.code == "no-how"


def test_no_step_is_dated_before_the_one_that_it_follows() -> None:
    early = AT - timedelta(days=1)
    with pytest.raises(Refused) as answer:
        in_status(RequestStatus.REQUESTED).take_answer(Answer.ACCEPTED, None, early)
    with pytest.raises(Refused) as end:
        in_status(RequestStatus.REQUESTED).end(Ending.ABANDONED, early)
    assert (answer.value.code, end.value.code) == ("out-of-order", "out-of-order")


def test_a_link_opens_its_own_request_until_its_end_and_a_new_one_takes_its_place() -> None:
    request = in_status(RequestStatus.REQUESTED)
    request.link(linked(), AT)
    assert request.opens(TOKEN, AT)
    assert not request.opens("B" * 43, AT)
    assert not request.opens(TOKEN, AT + timedelta(days=30))
    request.link(linked("B" * 43), AT)
    assert (request.opens(TOKEN, AT), request.opens("B" * 43, AT)) == (False, True)


def test_a_link_answers_once_and_a_new_one_after_an_assessment_answers_again() -> None:
    request = in_status(RequestStatus.REQUESTED)
    request.link(linked(), AT)
    request.take_answer(Answer.NEEDS_ASSESSMENT, None, LATER, by_link=True)
    with pytest.raises(Refused) as refused:
        request.take_answer(Answer.ACCEPTED, None, LATER, by_link=True)
    assert refused.value.code == "link-used"
    request.link(linked("B" * 43), LATER)
    request.take_answer(Answer.ACCEPTED, None, LATER, by_link=True)
    assert request.status is RequestStatus.ACCEPTED


@pytest.mark.parametrize("status", [RequestStatus.ACCEPTED, RequestStatus.REFUSED, RequestStatus.COMPLETED])
def test_what_is_answered_gets_no_link_any_more(status: RequestStatus) -> None:
    with pytest.raises(Refused) as refused:
        in_status(status).link(linked(), LATER)
    assert refused.value.code == "answered-already"


def test_the_worker_is_asked_once_and_their_word_ends_an_accepted_request() -> None:
    request = in_status(RequestStatus.ACCEPTED)
    request.tell_need(NeedMet.NO, LATER)
    [event] = request._events
    assert isinstance(event.data, ServiceCompleted)
    assert (event.data.ending, event.data.need_met) == (Ending.COMPLETED, NeedMet.NO)
    assert not request.asks_need
    with pytest.raises(Refused) as refused:
        request.tell_need(NeedMet.YES, LATER)
    assert refused.value.code == "told-already"
