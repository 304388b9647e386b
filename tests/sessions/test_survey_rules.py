"""Survey waves by the rules alone: when people are invited, and which answers are taken."""

from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import BaseModel

from services.contracts.sessions import (
    AttendanceRecorded,
    SurveyInvited,
    SurveyLinked,
    SurveyScored,
    SurveySubmitted,
)
from services.kernel import RecordedEvent, Refused
from sessions.domain import Participant, Status, Survey, digest, survey_id

ADMITTED = date(2026, 9, 1)
NOW = datetime(2026, 9, 1, 9, tzinfo=UTC)


def survey(due_days: int = 0) -> Survey:
    return Survey.of("w", "who5", "T1", ADMITTED, due_days)


def recorded(of: Survey) -> list[object]:
    events: list[RecordedEvent] = []
    of.record_into(events)
    return [each.data for each in events]


@pytest.mark.parametrize(
    ("admitted", "withdrawn", "asked"), [(ADMITTED, False, True), (None, False, False), (ADMITTED, True, False)]
)
def test_who_is_asked_was_admitted_and_is_here(admitted: date | None, withdrawn: bool, asked: bool) -> None:
    assert Participant(id="w", admitted=admitted, withdrawn=withdrawn).is_asked is asked


def test_a_seat_in_a_group_is_remembered_once() -> None:
    one = Participant(id="w")
    for group in ("g", "h", "g"):
        one.join(group)
    assert one.groups == ["g", "h"]


def test_a_wave_is_due_so_many_days_after_admission() -> None:
    assert survey(270).due == date(2027, 5, 29)


def test_the_same_survey_has_the_same_id_whoever_plans_it() -> None:
    assert survey().id == survey_id("w", "who5", "T1") != survey_id("w", "who5", "T2")


@pytest.mark.parametrize(("days", "status"), [(13, Status.PLANNED), (14, Status.INVITED), (40, Status.INVITED)])
def test_people_are_asked_from_fourteen_days_before_the_due_date(days: int, status: Status) -> None:
    one = survey(due_days=28)
    one.invite(ADMITTED + timedelta(days=days), NOW)
    assert one.status is status


def test_an_invitation_is_published_once() -> None:
    one = survey()
    one.invite(ADMITTED, NOW)
    one.invite(ADMITTED, NOW)
    assert recorded(one) == [SurveyInvited(worker="w", instrument="who5", wave="T1", due=ADMITTED)]


def test_a_submission_is_open_and_its_scores_are_not() -> None:
    one = survey()
    one.invite(ADMITTED, NOW)
    one.submit("sealed", {"wellbeing": 52.0})
    assert recorded(one)[1:] == [
        SurveySubmitted(worker="w", instrument="who5", wave="T1"),
        SurveyScored(worker="w", instrument="who5", wave="T1", scores={"wellbeing": 52.0}),
    ]
    assert (one.status, one.answers) == (Status.SUBMITTED, "sealed")


def test_a_survey_is_submitted_once() -> None:
    one = survey()
    one.invite(ADMITTED, NOW)
    one.submit("sealed", {})
    with pytest.raises(Refused) as refused:
        one.submit("other", {})
    assert (refused.value.code, one.answers) == ("submitted-already", "sealed")


@pytest.mark.parametrize("status", [Status.PLANNED, Status.DROPPED])
def test_what_is_not_asked_cannot_be_answered(status: Status) -> None:
    one = survey()
    one.status = status
    with pytest.raises(Refused) as refused:
        one.submit("sealed", {})
    assert refused.value.code == "not-open"


def test_what_was_answered_is_not_dropped() -> None:
    one = survey()
    one.invite(ADMITTED, NOW)
    one.submit("sealed", {})
    one.drop()
    assert one.status is Status.SUBMITTED


def test_what_was_dropped_is_asked_again_when_consent_is_given_again() -> None:
    one = survey()
    one.invite(ADMITTED, NOW)
    one.drop()
    one.plan()
    one.invite(ADMITTED, NOW)
    assert one.status is Status.INVITED
    assert len(recorded(one)) == 2


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (SurveyInvited(worker="w", instrument="who5", wave="T1", due=ADMITTED), Status.INVITED),
        (SurveySubmitted(worker="w", instrument="who5", wave="T1"), Status.SUBMITTED),
        (SurveyScored(worker="w", instrument="who5", wave="T1", scores={"wellbeing": 52.0}), Status.PLANNED),
    ],
    ids=lambda each: type(each).__name__ if not isinstance(each, Status) else each.value,
)
def test_an_event_of_a_survey_has_the_same_effect_on_replay_as_live(event: BaseModel, status: Status) -> None:
    one = survey()
    one.apply(event)
    assert one.status is status
    assert recorded(one) == []


def test_a_replayed_survey_has_the_state_of_the_live_one_but_for_its_answers() -> None:
    live, replayed = survey(), survey()
    live.invite(ADMITTED, NOW)
    live.submit("sealed", {"wellbeing": 52.0})
    for each in live._events:
        replayed.apply(each.data, each.at)
    assert replayed.model_dump() == live.model_dump() | {"answers": None}


def test_a_participant_is_asked_from_admission_until_they_withdraw() -> None:
    one = Participant(id="w")
    assert not one.is_asked
    one.admit(ADMITTED)
    assert one.is_asked
    one.withdraw()
    assert not one.is_asked


def test_an_attendance_is_published_and_leaves_the_participant_as_they_were() -> None:
    one = Participant(id="w")
    recorded = AttendanceRecorded(session="s", group="g", number=1, on=ADMITTED, present=True)
    one.attended(recorded, NOW)
    assert [(each.data, each.at) for each in one._events] == [(recorded, NOW)]
    assert one.model_dump() == Participant(id="w").model_dump()


TOKEN, OTHER = "A" * 43, "B" * 43


@pytest.mark.parametrize(("late", "until"), [(0, date(2026, 9, 15)), (3, date(2026, 9, 18)), (200, date(2027, 4, 3))])
def test_a_link_opens_an_invitation_for_fourteen_days_from_the_due_date_or_from_its_own_day(
    late: int, until: date
) -> None:
    one = survey()
    one.invite(ADMITTED, NOW)
    assert one.unlinked
    one.connect(TOKEN, ADMITTED + timedelta(days=late))
    told = {"worker": "w", "instrument": "who5", "wave": "T1", "due": ADMITTED, "until": until, "token": TOKEN}
    assert recorded(one)[1] == SurveyLinked.model_validate(told)
    assert (one.link, one.unlinked) == (digest(TOKEN), False)
    assert TOKEN not in one.model_dump_json()
    assert [one.opens_by_link(until + timedelta(days=each)) for each in (0, 1)] == [True, False]


def test_a_newer_link_replaces_the_earlier_one_and_whoever_is_not_asked_any_more_has_none() -> None:
    one = survey()
    one.invite(ADMITTED, NOW)
    one.connect(TOKEN, ADMITTED)
    one.connect(OTHER, ADMITTED)
    assert one.link == digest(OTHER)
    one.drop()
    assert not any((one.link, one.until, one.unlinked, one.opens_by_link(ADMITTED)))
    one.plan()
    one.invite(ADMITTED, NOW)
    assert one.unlinked, "a new invitation waits for a link of its own"


def test_there_is_no_link_before_the_invitation_and_none_after_the_answer() -> None:
    one = survey()
    with pytest.raises(Refused, match="is not open"):
        one.connect(TOKEN, ADMITTED)
    one.invite(ADMITTED, NOW)
    one.submit("sealed", {"wellbeing": 52.0})
    assert not one.unlinked
    with pytest.raises(Refused, match="was submitted already"):
        one.connect(TOKEN, ADMITTED)


def test_a_survey_that_was_restored_without_its_invitation_keeps_the_link_that_was_sent_since() -> None:
    told = {"worker": "w", "instrument": "who5", "wave": "T1", "due": ADMITTED, "until": ADMITTED, "token": TOKEN}
    one = survey()
    one.apply(SurveyLinked.model_validate(told), NOW)
    one.invite(ADMITTED, NOW)
    assert (one.link, one.unlinked) == (digest(TOKEN), False)
