"""Requests to services in every status, and the one table of their transitions, for tests at each level: no engine, no clock."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from enrolment.domain import RequestStatus, ServiceRequest
from services.contracts.enrolment import How
from services.contracts.paths import Answer, Ending, NeedMet, RefusalReason, RequestLinked

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)
LATER = AT + timedelta(days=3)
TOKEN = "A" * 43
R = RequestStatus


class Step(NamedTuple):
    """One act on a request. `body`: what a program sends, at the end of the address `route`."""

    act: Callable[[ServiceRequest], None]
    route: str
    body: dict[str, str]


STEPS = {
    "accept": Step(lambda it: it.take_answer(Answer.ACCEPTED, None, LATER), "answer", {"answer": "accepted"}),
    "refuse": Step(
        lambda it: it.take_answer(Answer.REFUSED, RefusalReason.NO_PLACES, LATER),
        "answer",
        {"answer": "refused", "reason": "no-places"},
    ),
    "assess": Step(
        lambda it: it.take_answer(Answer.NEEDS_ASSESSMENT, None, LATER), "answer", {"answer": "needs-assessment"}
    ),
    "complete": Step(lambda it: it.end(Ending.COMPLETED, LATER), "end", {"ending": "completed"}),
    "abandon": Step(lambda it: it.end(Ending.ABANDONED, LATER), "end", {"ending": "abandoned"}),
    "need met": Step(lambda it: it.tell_need(NeedMet.PARTLY, LATER), "need", {"met": "partly"}),
}
# From each status, by each step: the status that follows, or the code of the refusal.
TRANSITIONS: dict[RequestStatus, dict[str, RequestStatus | str]] = {
    R.REQUESTED: {
        "accept": R.ACCEPTED, "refuse": R.REFUSED, "assess": R.NEEDS_ASSESSMENT, "complete": "not-accepted",
        "abandon": R.ABANDONED, "need met": "not-asked",
    },
    R.NEEDS_ASSESSMENT: {
        "accept": R.ACCEPTED, "refuse": R.REFUSED, "assess": "answered-already", "complete": "not-accepted",
        "abandon": R.ABANDONED, "need met": "not-asked",
    },
    R.ACCEPTED: {
        "accept": "answered-already", "refuse": "answered-already", "assess": "answered-already", "complete": R.COMPLETED,
        "abandon": R.ABANDONED, "need met": R.COMPLETED,
    },
    R.REFUSED: {
        "accept": "answered-already", "refuse": "answered-already", "assess": "answered-already", "complete": "ended-already",
        "abandon": "ended-already", "need met": "not-asked",
    },
    R.COMPLETED: {
        "accept": "answered-already", "refuse": "answered-already", "assess": "answered-already", "complete": "ended-already",
        "abandon": "ended-already", "need met": R.COMPLETED,
    },
    R.ABANDONED: {
        "accept": "answered-already", "refuse": "answered-already", "assess": "answered-already", "complete": "ended-already",
        "abandon": "ended-already", "need met": "not-asked",
    },
}  # fmt: skip
REACHED: dict[RequestStatus, tuple[str, ...]] = {
    R.REQUESTED: (),
    R.NEEDS_ASSESSMENT: ("assess",),
    R.ACCEPTED: ("accept",),
    R.REFUSED: ("refuse",),
    R.COMPLETED: ("accept", "complete"),
    R.ABANDONED: ("abandon",),
}
CASES = [(status, step, after) for status, steps in TRANSITIONS.items() for step, after in steps.items()]


def in_status(status: RequestStatus, **facts: str) -> ServiceRequest:
    """A request that reached this status by its own steps, with no event left to record."""
    ids = {"id": "r1", "worker": "w1", "service": "dote", "receiver": "afol", **facts}
    request = ServiceRequest.make(**ids, at=AT, told=True, how=How.IN_PERSON)
    for each in REACHED[status]:
        STEPS[each].act(request)
    request._events.clear()
    return request


def linked(token: str = TOKEN, expires: datetime = AT + timedelta(days=30)) -> RequestLinked:
    """A link to answer."""
    return RequestLinked(
        worker="w1",
        service_name="Dote",
        organization_name="AFOL",
        email="dote@afol.example",
        token=token,
        expires=expires,
    )
