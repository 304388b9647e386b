"""Rules of situations after the programme, and of complaints: no engine, no clock."""

from datetime import UTC, date, datetime, timedelta

import pytest

from enrolment.domain import Complaint, ComplaintStatus, Outcome
from enrolment.domain.outcomes import Told
from enrolment.outcomes.queries import asked_of, due, left_in
from services import programmes
from services.contracts.paths import (
    Complainant,
    ComplaintAnswered,
    ComplaintEscalated,
    ComplaintReceived,
    ComplaintReplied,
    OutcomeMoment,
    OutcomeRecorded,
    Situation,
)
from services.kernel import Refused

LEFT = date(2026, 3, 2)
TODAY = date(2027, 3, 2)
AT = datetime(2026, 10, 1, 9, tzinfo=UTC)
RULES = programmes.load_all()["smoke"]


def record(moment: OutcomeMoment, days: int, situation: Situation = Situation.EMPLOYED, today: date = TODAY) -> Outcome:
    """A situation, so many days after the exit."""
    outcome = Outcome.of("w1", moment)
    outcome.record(situation, LEFT + timedelta(days=days), LEFT, today)
    return outcome


@pytest.mark.parametrize(
    ("moment", "days"),
    [
        (OutcomeMoment.EXIT, 0),
        (OutcomeMoment.EXIT, 28),
        (OutcomeMoment.SIX_MONTHS, 150),
        (OutcomeMoment.SIX_MONTHS, 300),
    ],
)
def test_a_situation_is_recorded_of_a_day_of_its_moment(moment: OutcomeMoment, days: int) -> None:
    [event] = record(moment, days)._events
    day = LEFT + timedelta(days=days)
    assert event.data == OutcomeRecorded(worker="w1", moment=moment, situation=Situation.EMPLOYED, day=day, left=LEFT)


@pytest.mark.parametrize(
    ("moment", "days", "today"),
    [
        (OutcomeMoment.EXIT, -1, TODAY),
        (OutcomeMoment.EXIT, 29, TODAY),
        (OutcomeMoment.EXIT, 3, LEFT + timedelta(days=2)),
        (OutcomeMoment.SIX_MONTHS, 149, TODAY),
    ],
)
def test_a_day_of_another_moment_or_to_come_is_refused(moment: OutcomeMoment, days: int, today: date) -> None:
    with pytest.raises(Refused) as refused:
        record(moment, days, today=today)
    assert refused.value.code == "out-of-order"


def test_the_latest_day_counts_and_of_one_day_the_last_word_and_nothing_is_said_twice() -> None:
    outcome = record(OutcomeMoment.EXIT, 20, Situation.SEARCHING)
    outcome.record(Situation.TRAINING, LEFT + timedelta(days=3), LEFT, TODAY)
    assert outcome.last == Told(situation=Situation.SEARCHING, day=LEFT + timedelta(days=20))
    outcome.record(Situation.EMPLOYED, LEFT + timedelta(days=20), LEFT, TODAY)
    assert outcome.last == Told(situation=Situation.EMPLOYED, day=LEFT + timedelta(days=20))
    with pytest.raises(Refused) as refused:
        outcome.record(Situation.EMPLOYED, LEFT + timedelta(days=20), LEFT, TODAY)
    assert refused.value.code == "same-outcome"


def test_whoever_left_is_asked_on_leaving_and_again_when_six_months_are_nearly_over() -> None:
    row = {"admitted": AT, "withdrawn": datetime(2026, 3, 2, 12, tzinfo=UTC)}
    assert asked_of({"admitted": AT}, RULES, TODAY) is None
    assert asked_of({"withdrawn": row["withdrawn"]}, RULES, TODAY) is None, "who took no part is asked nothing"
    assert asked_of(row, RULES, TODAY) is OutcomeMoment.EXIT
    assert left_in(row, RULES) == LEFT
    told = {**row, "exit": "2026-03-04", "left": "2026-03-02"}
    assert asked_of(told, RULES, LEFT + timedelta(days=167)) is None
    assert asked_of(told, RULES, LEFT + timedelta(days=168)) is OutcomeMoment.SIX_MONTHS
    assert asked_of({**told, "six": "2026-09-01"}, RULES, TODAY) is None
    assert due(OutcomeMoment.SIX_MONTHS, LEFT + timedelta(days=168))[0]["left"]["$lte"] == "2026-03-02"


def complaint(status: ComplaintStatus, by: Complainant = Complainant.WORKER) -> Complaint:
    """A complaint in this status, with no event left to record."""
    whose = {"worker": "w1"} if by is Complainant.WORKER else {"partner": "cgil"}
    made = Complaint.receive("c1", by, date(2026, 10, 31), AT, **whose)
    if status is ComplaintStatus.ESCALATED:
        made.escalate(AT)
    if status is ComplaintStatus.ANSWERED:
        made.take_reply("sealed", AT)
    made._events.clear()
    return made


C = ComplaintStatus
STEPS = {"escalate": lambda it: it.escalate(AT), "answer": lambda it: it.take_reply("sealed", AT)}


@pytest.mark.parametrize(
    ("status", "step", "after"),
    [
        (C.RECEIVED, "escalate", C.ESCALATED),
        (C.RECEIVED, "answer", C.ANSWERED),
        (C.ESCALATED, "escalate", "escalated-already"),
        (C.ESCALATED, "answer", C.ANSWERED),
        (C.ANSWERED, "escalate", "complaint-answered"),
        (C.ANSWERED, "answer", "complaint-answered"),
    ],
)
def test_a_complaint_takes_each_step_once(status: ComplaintStatus, step: str, after: ComplaintStatus | str) -> None:
    made = complaint(status)
    if isinstance(after, ComplaintStatus):
        STEPS[step](made)
        assert made.status is after
        return
    with pytest.raises(Refused) as refused:
        STEPS[step](made)
    assert (refused.value.code, made.status) == (after, status)


def test_no_open_event_of_a_complaint_says_who_complained_and_a_worker_alone_is_told_of_the_answer() -> None:
    made = Complaint.receive("c1", Complainant.WORKER, date(2026, 10, 31), AT, worker="w1")
    made.escalate(AT)
    made.take_reply("sealed", AT)
    assert [each.data for each in made._events] == [
        ComplaintReceived(by=Complainant.WORKER, due=date(2026, 10, 31)),
        ComplaintEscalated(),
        ComplaintAnswered(),
        ComplaintReplied(worker="w1"),
    ]
    of_partner = complaint(C.RECEIVED, Complainant.PARTNER)
    of_partner.take_reply("sealed", AT)
    assert [type(each.data) for each in of_partner._events] == [ComplaintAnswered]


def test_an_erasure_leaves_that_there_was_a_complaint_and_nothing_else() -> None:
    made = complaint(C.ANSWERED)
    made.keep("sealed text")
    made.forget()
    assert (made.worker, made.about, made.reply, made.is_forgotten) == (None, None, None, True)
