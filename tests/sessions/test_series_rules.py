"""Rules of the series of a group: on which days one more meeting fits, and what it would clash with."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from services.contracts import Event
from services.contracts.sessions import Cancelling, SessionCancelled, SessionMoved, SessionScheduled
from services.kernel import RecordedEvent, Refused
from services.programmes import load_all
from services.store.work import Work
from sessions import replay
from sessions.domain import Meeting, Roster, schedule
from sessions.meetings.series import clashes, fits, free_days
from tests.sessions.recording import recorded

ROME = ZoneInfo("Europe/Rome")
RULES = load_all()["monza-brianza"]
FIRST = date(2026, 10, 1)  # a Thursday; clocks go back on 25 October


def group(id: str = "g", facilitator: str = "f") -> tuple[Roster, list[Meeting]]:
    roster = Roster(id=id, slot="thu-evening", place="p", facilitator=facilitator)
    roster.seat("ada", FIRST)
    return roster, schedule(roster, [FIRST + timedelta(weeks=2 * each) for each in range(4)], time(18, 30), ROME)


def at(day: date, hour: int = 18, minute: int = 30) -> datetime:
    return datetime.combine(day, time(hour, minute), ROME)


def test_a_meeting_that_is_moved_keeps_its_number_and_its_local_time_across_the_change_of_clocks() -> None:
    _, (_, second, *_) = group()
    recorded(second)
    second.move(at(date(2026, 10, 26)), "q")
    assert (second.day, second.number, second.place) == (date(2026, 10, 26), 2, "q")
    assert second.starts.isoformat() == "2026-10-26T18:30:00+01:00"


def test_a_move_is_told_once_and_what_it_has_already_is_no_move() -> None:
    _, (first, *_) = group()
    events: list[RecordedEvent] = []
    first.record_into(events)
    events.clear()
    first.move(at(date(2026, 10, 2)), "p")
    first.move(at(date(2026, 10, 2)).astimezone(UTC), "p")
    assert [each.data for each in events] == [
        SessionMoved(group="g", number=1, starts=at(date(2026, 10, 2)), place="p")
    ]


@pytest.mark.parametrize("change", ["move", "cancel"])
def test_a_meeting_whose_roll_was_called_and_one_that_was_cancelled_stay_as_they_are(change: str) -> None:
    _, (first, second, *_) = group()
    first.call_roll(["ada"], ["ada"], first.starts)
    second.call_off(Cancelling.NO_PLACE)
    for each, code in ((first, "held-already"), (second, "cancelled-already")):
        with pytest.raises(Refused) as refused:
            each.move(at(date(2026, 10, 5)), "p") if change == "move" else each.call_off(Cancelling.OTHER)
        assert refused.value.code == code


def test_no_roll_is_called_of_a_meeting_that_was_cancelled() -> None:
    _, (first, *_) = group()
    first.call_off(Cancelling.HOLIDAY)
    with pytest.raises(Refused) as refused:
        first.call_roll(["ada"], ["ada"], first.starts)
    assert refused.value.code == "cancelled-already"


@pytest.mark.parametrize(
    ("day", "code"),
    [
        (date(2026, 9, 30), "out-of-order"),  # before anybody has a seat
        (date(2026, 8, 1), "out-of-order"),  # before the programme
        (RULES.ends + timedelta(days=1), "programme-over"),
        (date(2026, 10, 15), "same-day"),
    ],
)
def test_a_day_that_the_group_cannot_have_is_refused(day: date, code: str) -> None:
    roster, series = group()
    with pytest.raises(Refused) as refused:
        fits(RULES, roster, series, at(day), series[0].id)
    assert refused.value.code == code


def test_a_meeting_may_stay_on_its_own_day_and_take_that_of_one_that_was_cancelled() -> None:
    roster, series = group()
    series[1].call_off(Cancelling.AGREED)
    fits(RULES, roster, series, at(FIRST, 20), series[0].id)
    fits(RULES, roster, series, at(series[1].day), series[0].id)
    fits(RULES, roster, series, at(RULES.ends), None)


def test_nothing_is_changed_in_a_group_that_was_concluded() -> None:
    roster, series = group()
    roster.conclude(date(2026, 10, 20))
    with pytest.raises(Refused) as refused:
        fits(RULES, roster, series, at(date(2026, 10, 19)), series[0].id)
    assert refused.value.code == "group-concluded"


@pytest.mark.parametrize(("minutes", "clash"), [(-120, False), (-119, True), (0, True), (119, True), (120, False)])
def test_meetings_clash_while_one_is_on_and_not_when_one_ends_as_the_other_begins(minutes: int, clash: bool) -> None:
    _, (first, *_) = group()
    assert bool(clashes(RULES, [first], first.starts + timedelta(minutes=minutes))) is clash


def test_the_days_that_are_offered_instead_are_free_for_the_group_and_its_facilitator_and_no_holidays() -> None:
    _, series = group()
    _, others = group("h")
    others[0].move(at(date(2026, 12, 10), 19), "p")
    # 29 October and 12 November are the group's own; on 10 December the facilitator is elsewhere.
    found = free_days(RULES, series, others[:1], at(date(2026, 10, 15)), most=7)
    assert [each.isoformat() for each in found] == [
        "2026-10-22", "2026-11-05", "2026-11-19", "2026-11-26", "2026-12-03", "2026-12-17", "2026-12-24",
    ]  # fmt: skip
    assert date(2027, 1, 1) not in free_days(RULES, [], [], at(date(2026, 12, 25)), most=9), "a Friday, and a holiday"


def test_events_of_before_and_after_tell_of_a_cancellation_with_and_without_a_reason() -> None:
    assert SessionCancelled.model_validate({"group": "g", "number": 1}).reason is None
    told = SessionCancelled(group="g", number=1, reason=Cancelling.NO_FACILITATOR)
    assert SessionCancelled.model_validate(told.model_dump(mode="json")) == told


class Held:
    """The part of `Work` that a replay uses."""

    def __init__(self) -> None:
        self.meetings: dict[str, Meeting] = {}

    async def find(self, _: type[Meeting], id: str) -> Meeting | None:
        return self.meetings.get(id)

    def add(self, meeting: Meeting) -> None:
        self.meetings[meeting.id] = meeting


async def test_after_a_restore_meetings_are_as_they_were_told() -> None:
    work, held = cast("Work", found := Held()), found.meetings
    _, series = group()
    told: list[RecordedEvent] = []
    for meeting in series:
        meeting.record_into(told)
    series[0].move(at(date(2026, 10, 2), 20), "q")
    series[1].call_off(Cancelling.HOLIDAY)
    for recorded_event in told:
        moment = at(FIRST)
        event: Event[Any] = Event("e", "s", "t", recorded_event.by.id, moment, moment, 1, recorded_event.data)
        for _ in range(2):  # taken again, nothing changes
            if isinstance(recorded_event.data, SessionScheduled):
                await replay.restore_the_meeting(event, work)
            else:
                await replay.restore_the_change(event, work)
    again = [held[each.id] for each in series]
    assert [(each.starts, each.place, each.cancelled) for each in again] == [
        (each.starts, each.place, each.cancelled) for each in series
    ]
