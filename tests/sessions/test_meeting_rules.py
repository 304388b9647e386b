"""Meetings by the rules alone: their dates, their members, and the roll."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.contracts.sessions import SessionHeld, SessionScheduled
from services.kernel import Refusal, Refused
from sessions.domain import Meeting, Roster, led_by, meeting_id, schedule
from tests.sessions.recording import recorded

ROME = ZoneInfo("Europe/Rome")
FIRST = date(2026, 10, 1)  # a Thursday; clocks go back on 25 October
FIRST_NIGHT = datetime(2026, 10, 1, tzinfo=UTC)


def roster(**members: tuple[date, date | None]) -> Roster:
    made = Roster(id="g", slot="thu-evening", place="p", facilitator="f")
    for worker, (since, until) in members.items():
        made.seat(worker, since)
        if until is not None:
            made.release(worker, until)
    return made


def fortnightly() -> list[Meeting]:
    return schedule(roster(), [FIRST + timedelta(weeks=2 * each) for each in range(18)], time(18, 30), ROME)


def meeting() -> Meeting:
    return fortnightly()[0]


def after(one: Meeting) -> datetime:
    return one.starts + timedelta(hours=2)


def held(one: Meeting) -> list[SessionHeld]:
    return [each.data for each in recorded(one) if isinstance(each.data, SessionHeld)]


def test_eighteen_fortnightly_meetings_are_numbered_and_end_thirty_four_weeks_after_the_first() -> None:
    meetings = fortnightly()
    assert [each.number for each in meetings] == list(range(1, 19))
    assert [each.day for each in meetings] == [FIRST + timedelta(weeks=2 * each) for each in range(18)]


def test_every_meeting_is_published_as_scheduled_once() -> None:
    for each in fortnightly():
        (only,) = recorded(each)
        assert only.data == SessionScheduled(group="g", number=each.number, starts=each.starts, place="p")


def test_a_meeting_starts_at_the_same_local_time_in_summer_and_in_winter() -> None:
    meetings = fortnightly()
    assert {each.starts.time() for each in meetings} == {time(18, 30)}
    in_utc = [each.starts.astimezone(UTC).time() for each in meetings[:3]]
    assert in_utc == [time(16, 30), time(16, 30), time(17, 30)]
    assert meetings[1].starts.isoformat() == "2026-10-15T18:30:00+02:00"
    assert meetings[2].starts.isoformat() == "2026-10-29T18:30:00+01:00"


def test_a_stored_meeting_keeps_its_local_date() -> None:
    late = schedule(roster(), [FIRST], time(0, 15), ROME)[0]
    assert late.starts.astimezone(UTC).date() == date(2026, 9, 30)
    assert Meeting.model_validate(late.model_dump(mode="json")).day == FIRST


def test_the_same_meeting_has_the_same_id_whoever_makes_it() -> None:
    assert [each.id for each in fortnightly()] == [meeting_id("g", number) for number in range(1, 19)]
    assert meeting_id("h", 1) != meeting_id("g", 1) != meeting_id("g", 11)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (FIRST - timedelta(days=1), []),
        (FIRST, ["a", "b"]),
        (FIRST + timedelta(days=13), ["a", "b"]),
        (FIRST + timedelta(days=14), ["a", "c"]),
    ],
)
def test_membership_counts_by_date_from_its_first_day_to_the_day_before_its_last(
    day: date, expected: list[str]
) -> None:
    change = FIRST + timedelta(days=14)
    assert roster(a=(FIRST, None), b=(FIRST, change), c=(change, None)).members_on(day) == expected


def test_who_left_and_came_back_is_a_member_again() -> None:
    one = roster(a=(FIRST, FIRST + timedelta(days=7)))
    one.seat("a", FIRST + timedelta(days=21))
    assert [one.members_on(FIRST + timedelta(days=each)) for each in (0, 7, 21)] == [["a"], [], ["a"]]


def test_who_leaves_before_they_began_was_never_a_member() -> None:
    one = roster(a=(FIRST, FIRST - timedelta(days=7)))
    assert one.members_on(FIRST) == []


def test_a_roll_call_counts_members_and_returns_each() -> None:
    one = meeting()
    assert one.call_roll(["a", "b", "c"], {"a", "c"}, after(one)) == {"a": True, "b": False, "c": True}
    assert held(one) == [SessionHeld(group="g", number=1, on=FIRST, present=2, absent=1)]
    assert recorded(one)[-1].at == after(one)


def test_the_same_roll_again_publishes_nothing() -> None:
    one = meeting()
    one.call_roll(["a", "b"], {"a"}, after(one))
    assert one.call_roll(["b", "a"], {"a"}, after(one)) == {}
    assert len(held(one)) == 1


def test_a_correction_returns_only_the_changed_members_and_counts_again() -> None:
    one = meeting()
    one.call_roll(["a", "b", "c"], {"a"}, after(one))
    assert one.call_roll(["a", "b", "c"], {"a", "b"}, after(one)) == {"b": True}
    assert [(each.present, each.absent) for each in held(one)] == [(1, 2), (2, 1)]


def test_a_meeting_to_which_nobody_came_was_held() -> None:
    one = meeting()
    assert one.call_roll(["a"], set(), after(one)) == {"a": False}
    assert one.held


def test_a_roll_is_not_called_before_the_meeting_starts() -> None:
    one = meeting()
    with pytest.raises(Refused) as refused:
        one.call_roll(["a"], {"a"}, one.starts - timedelta(minutes=1))
    assert refused.value.code == "out-of-order"


def test_a_roll_is_called_up_to_the_last_day_of_a_group_that_was_concluded() -> None:
    one, later = fortnightly()[:2]
    one.call_roll(["a"], {"a"}, after(one), one.day)
    with pytest.raises(Refused) as refused:
        later.call_roll(["a"], {"a"}, after(later), one.day)
    assert (refused.value.code, refused.value.members) == ("out-of-order", {"not_after": one.day.isoformat()})


def test_whoever_left_before_a_roll_that_was_called_loses_the_mark_and_nobody_else_does() -> None:
    one = meeting()
    one.call_roll(["a", "b", "c"], {"a", "b"}, after(one))
    assert one.recount(["a", "c"], FIRST_NIGHT) == {"b": None}
    assert (one.roll, held(one)[-1].present, held(one)[-1].absent) == ({"a": True, "c": False}, 1, 1)
    assert recorded(one)[-1].at == one.starts, "a correction of a meeting is not dated before it"
    assert one.recount(["a", "c"], after(one)) == {}


def test_whoever_joined_before_a_roll_that_was_called_has_no_mark_until_it_is_sent_again() -> None:
    one = meeting()
    one.call_roll(["a"], {"a"}, after(one))
    assert one.recount(["a", "late"], after(one)) == {}
    assert one.call_roll(["a", "late"], {"a"}, after(one)) == {"late": False}


def test_a_mark_that_should_not_be_there_goes_with_the_next_roll() -> None:
    one = meeting()
    one.call_roll(["a", "b"], {"a", "b"}, after(one))
    assert one.call_roll(["a"], {"a"}, after(one)) == {"b": None}


def test_a_meeting_that_was_not_held_has_nothing_to_recount() -> None:
    one = meeting()
    assert one.recount([], after(one)) == {}
    assert not one.held


def test_who_was_no_member_that_day_cannot_have_been_there() -> None:
    one = meeting()
    with pytest.raises(Refused) as refused:
        one.call_roll(["a"], {"a", "y", "x"}, after(one))
    assert (refused.value.code, refused.value.kind) == ("not-a-member", Refusal.INVALID)
    assert refused.value.members["workers"] == ["x", "y"]
    assert not one.held


def test_of_an_erased_member_only_the_count_stays() -> None:
    one = meeting()
    one.call_roll(["a", "b", "c"], {"a", "b"}, after(one))
    one.forget("a")
    one.forget("c")
    one.forget("never-there")
    assert one.roll.keys() == {"b"}
    assert (one.present, one.absent) == (2, 1)


def test_a_correction_after_an_erasure_keeps_the_count_of_the_erased() -> None:
    one = meeting()
    one.call_roll(["a", "b"], {"a"}, after(one))
    one.forget("a")
    one.call_roll(["b"], {"b"}, after(one))
    assert [(each.present, each.absent) for each in held(one)] == [(1, 1), (2, 0)]


def test_a_replayed_meeting_is_held_and_its_roll_is_unknown() -> None:
    one, replayed = meeting(), meeting()
    one.call_roll(["a", "b"], {"a"}, after(one))
    for each in recorded(one):
        replayed.apply(each.data, each.at)
    assert replayed.model_dump() == one.model_dump() | {"roll": {}}


def test_a_facilitator_who_was_replaced_sees_nothing_more_from_the_day_of_the_change_on() -> None:
    one, change = roster(), date(2026, 11, 2)
    one.assign("another", change)
    assert one.facilitator == "another"
    before, after, day = date(2026, 10, 1), date(2026, 11, 5), timedelta(days=1)
    seen = {
        (who, meeting, today): one.may_be_seen_by(who, meeting, today)
        for who in ("f", "another")
        for meeting in (before, after)
        for today in (change - day, change)
    }
    assert {key for key, may in seen.items() if may} == {
        ("f", before, change - day),  # whoever leads it calls the rolls until the day before
        ("another", after, change - day),  # whoever comes can prepare
        ("another", after, change),
    }


def test_an_erased_member_is_on_no_roster() -> None:
    one = roster(a=(FIRST, None), b=(FIRST, None))
    one.forget("a")
    assert one.members_on(FIRST) == ["b"]


@pytest.mark.parametrize(
    ("facilitator", "known", "found"),
    [("f", True, True), (None, True, True), ("another", True, False), (None, False, False)],
)
def test_a_meeting_is_found_by_its_facilitator_and_by_operators(
    facilitator: str | None, known: bool, found: bool
) -> None:
    one, group = meeting(), roster()
    if found:
        assert led_by(facilitator, one.id, one, group, one.day) == (one, group)
    else:
        with pytest.raises(Refused) as refused:
            led_by(facilitator, one.id, one if known else None, group, one.day)
        assert (refused.value.code, refused.value.kind) == ("no-such-session", Refusal.NOT_FOUND)
