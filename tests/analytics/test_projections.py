"""Projections of analytics as pure functions: rows are facts, so repeats, corrections and any interleaving of topics give the same."""

import random
from collections import defaultdict
from datetime import UTC, date, datetime

import pytest

from analytics.projections import Attendance, Meetings, Path, Scores
from services.contracts import Event
from services.contracts.enrolment import (
    Leaving,
    WithdrawalExplained,
    WorkerAdmitted,
    WorkerDeclined,
    WorkerReferred,
    WorkerWithdrawn,
)
from services.contracts.grouping import (
    GroupConcluded,
    GroupFormed,
    Kind,
    MemberJoined,
    MemberLeft,
    WorkerUnlisted,
    WorkerWaitlisted,
)
from services.contracts.sessions import (
    AttendanceRecorded,
    SessionHeld,
    SessionScheduled,
    SurveyInvited,
    SurveyScored,
    SurveySubmitted,
)
from services.events.delivery.declare import Projection
from tests.analytics.rows import event, projected

AT = datetime(2026, 10, 5, 9, tzinfo=UTC)
FIRST, LAST = date(2026, 11, 2), date(2026, 12, 1)


ENROLMENT = [
    event(WorkerReferred(partner="cisl"), "w1", 1),
    event(WorkerAdmitted(partner="cisl"), "w1", 4),
    event(WorkerWithdrawn(reason=Leaving.FOUND_WORK), "w1", 5),
]
GROUPING = [
    event(WorkerWaitlisted(not_before=FIRST), "w1", 1),
    event(MemberJoined(worker="w1", since=FIRST), "g1", 1),
    event(MemberLeft(worker="w1", since=LAST), "g1", 2),
    event(MemberJoined(worker="w1", since=LAST), "g2", 1),
    event(WorkerUnlisted(), "w1", 2),
]
SESSIONS = [
    event(GroupFormed(kind=Kind.HETEROGENEOUS, slot="monday", place="p1", facilitator="f1", first=FIRST), "g1", 3),
    event(SessionScheduled(group="g1", number=1, starts=AT, place="p1"), "m1", 1),
    event(SessionHeld(group="g1", number=1, on=FIRST, present=8, absent=2), "m1", 2),
    event(SessionHeld(group="g1", number=1, on=FIRST, present=9, absent=1), "m1", 3),
]
SURVEYS = [
    event(SurveyInvited(worker="w1", instrument="who5", wave="T0", due=FIRST), "s1", 1),
    event(SurveySubmitted(worker="w1", instrument="who5", wave="T0"), "s1", 2),
    event(SurveyScored(worker="w1", instrument="who5", wave="T0", scores={"total": 52.0}), "s1", 3),
]


def came(member: str, present: bool, number: int = 1, session: str = "m1") -> Event[AttendanceRecorded]:
    """A line of a roll-call."""
    line = AttendanceRecorded(session=session, group="g1", number=1, on=FIRST, present=present)
    return event(line, member, number)


def test_the_path_has_a_row_per_worker_with_the_time_of_each_step_and_no_consent() -> None:
    assert projected(Path(), *ENROLMENT) == {
        "w1": {
            "person": "w1",
            "worker": "w1",
            "partner": "cisl",
            "referred": AT,
            "admitted": AT,
            "withdrawn": AT,
            "told": Leaving.FOUND_WORK,
        }
    }


def test_the_reason_of_a_withdrawal_is_the_restricted_one_in_any_order() -> None:
    left = event(WorkerWithdrawn(reason=Leaving.OTHER), "w1", 1)
    explained = event(WithdrawalExplained(reason=Leaving.ILLNESS), "w1", 1)
    for order in ((left, explained), (explained, left)):
        row = projected(Path(), *order)["w1"]
        assert (row["reason"], row["told"], row["withdrawn"]) == (Leaving.ILLNESS, Leaving.OTHER, AT)


def test_a_refusal_and_the_way_through_the_pool_are_facts_of_the_same_row() -> None:
    declined = event(WorkerDeclined(partner="cisl"), "w1", 2)
    rows = projected(Path(), declined, GROUPING[0], GROUPING[4])
    assert rows == {
        "w1": {"person": "w1", "declined": AT, "waits": AT, "not_before": FIRST.isoformat(), "unlisted": AT}
    }


def test_a_seat_has_a_row_per_group_so_that_a_move_keeps_both() -> None:
    rows = projected(Path(), *GROUPING)
    assert rows["w1/g1"] == {
        "person": "w1",
        "member": "w1",
        "group": "g1",
        "since": "2026-11-02",
        "until": "2026-12-01",
    }
    assert (rows["w1/g2"]["since"], rows["w1/g2"]["until"]) == ("2026-12-01", None)


def test_meetings_have_a_row_each_and_a_correction_replaces_the_counts() -> None:
    assert projected(Meetings(), *SESSIONS) == {
        "group/g1": {
            "formed": "g1",
            "kind": Kind.HETEROGENEOUS,
            "slot": "monday",
            "place": "p1",
            "facilitator": "f1",
            "first": FIRST.isoformat(),
        },
        "m1": {
            "session": "m1",
            "group": "g1",
            "number": 1,
            "starts": AT,
            "held": "2026-11-02",
            "present": 9,
            "absent": 1,
        },
    }


def test_attendance_has_a_row_per_member_and_meeting_and_a_correction_replaces_it() -> None:
    rows = projected(Attendance(), came("w1", True), came("w2", False), came("w1", False, 2), came("w1", True, 3, "m2"))
    assert {key: row["present"] for key, row in rows.items()} == {"m1/w1": False, "m1/w2": False, "m2/w1": True}
    assert rows["m1/w2"] == {"person": "w2", "group": "g1", "on": "2026-11-02", "present": False, "member": True}


def test_a_group_has_one_row_from_its_forming_to_its_end() -> None:
    ended = event(GroupConcluded(on=LAST), "g1", 4)
    assert projected(Meetings(), SESSIONS[0], ended) == projected(Meetings(), ended, SESSIONS[0])
    assert projected(Meetings(), ended)["group/g1"] == {"concluded": LAST.isoformat()}


def test_a_survey_has_one_row_from_the_invitation_to_the_scores() -> None:
    assert projected(Scores(), *SURVEYS) == {
        "s1": {
            "person": "w1",
            "instrument": "who5",
            "wave": "T0",
            "due": "2026-11-02",
            "submitted": AT,
            "scores": {"total": 52.0},
        }
    }


@pytest.mark.parametrize(
    ("projection", "events"),
    [
        (Path(), [*ENROLMENT, *GROUPING]),
        (Meetings(), SESSIONS),
        (Attendance(), [came("w1", True), came("w2", False), came("w1", False, 2)]),
        (Scores(), SURVEYS),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Projection) else "",
)
def test_repeats_and_any_interleaving_of_subjects_give_the_same_rows(
    projection: Projection, events: list[Event[object]]
) -> None:
    expected = projected(projection, *events)
    for seed in range(20):
        assert projected(projection, *interleaved(events, random.Random(seed))) == expected


def interleaved(events: list[Event[object]], chance: random.Random) -> list[Event[object]]:
    """The events in another order that keeps the order of each topic and subject, some of them twice."""
    waiting: dict[tuple[bool, str], list[Event[object]]] = defaultdict(list)
    for each in events:
        waiting["grouping" in each.type, each.subject].append(each)
    order: list[Event[object]] = []
    while waiting:
        key = chance.choice(sorted(waiting))
        order += [waiting[key].pop(0)] * chance.choice([1, 2])
        if not waiting[key]:
            del waiting[key]
    return order
