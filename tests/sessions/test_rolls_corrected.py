"""Corrections behind a roll, in any order: what a sheet shows can be sent back, and the calendar says the same as the published lines."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from services.contracts.sessions import SessionHeld
from sessions.domain import Meeting, Roster, schedule

ROME, FIRST = ZoneInfo("Europe/Rome"), date(2026, 10, 1)
DAYS = [FIRST + timedelta(weeks=2 * each) for each in range(4)]
AT = datetime(2026, 12, 1, 9, tzinfo=ROME)
SOME_DAY = st.integers(-3, 60).map(lambda days: FIRST + timedelta(days=days))
WORKER, MEETING = st.sampled_from("abcd"), st.integers(0, len(DAYS) - 1)
CHANGE = st.one_of(st.tuples(st.just("join"), WORKER, SOME_DAY), st.tuples(st.just("leave"), WORKER, SOME_DAY))
ROLL = st.one_of(
    st.tuples(st.just("roll"), MEETING, st.frozensets(WORKER)),
    st.tuples(st.just("again"), MEETING),
    st.tuples(st.just("erase"), st.just("d")),
)


class Seen:
    """A group as sessions keeps it, and what analytics and the calendar are told of it."""

    def __init__(self) -> None:
        self.roster = Roster(id="g", slot="thu-evening", place="p", facilitator="f")
        for worker in "abcd":
            self.roster.seat(worker, FIRST)
        self.meetings = schedule(self.roster, DAYS, time(18, 30), ROME)
        self.lines: dict[tuple[str, str], bool] = {}
        self.erased: list[str] = []

    def sheet(self, meeting: Meeting) -> tuple[list[str], set[str]]:
        """The members and those present, as the page shows them."""
        members = self.roster.members_on(meeting.day)
        return members, {each for each in members if meeting.roll.get(each)}

    def told(self, meeting: Meeting, changed: dict[str, bool | None]) -> None:
        for worker, here in changed.items():
            self.lines.pop((meeting.id, worker), None)
            if here is not None:
                self.lines[meeting.id, worker] = here

    def take(self, step: tuple[Any, ...]) -> None:
        match step:
            case ("join", worker, since):
                sits = any(each.worker == worker and each.until is None for each in self.roster.members)
                if not sits and worker not in self.erased:
                    self.roster.seat(worker, since)
            case ("leave", worker, since):
                self.roster.release(worker, since)
                for meeting in self.meetings:
                    self.told(meeting, meeting.recount(self.roster.members_on(meeting.day), AT))
            case ("roll", number, present):
                meeting = self.meetings[number]
                members = self.roster.members_on(meeting.day)
                self.told(meeting, meeting.call_roll(members, present & {*members}, AT))
            case ("again", number):
                meeting = self.meetings[number]
                members, present = self.sheet(meeting)
                if meeting.held:
                    self.told(meeting, meeting.call_roll(members, present, AT))
            case ("erase", worker):
                self.erased.append(worker)
                self.roster.forget(worker)
                for meeting in self.meetings:
                    meeting.forget(worker)


@settings(derandomize=True, max_examples=400)
@given(st.lists(st.tuples(ROLL, CHANGE), max_size=15))
def test_what_a_sheet_shows_can_be_sent_back_and_all_figures_agree(steps: list[tuple[Any, Any]]) -> None:
    seen = Seen()
    for roll, change in steps:
        seen.take(roll)
        seen.take(change)
    for meeting in (each for each in seen.meetings if each.held):
        lines = {worker: here for (id, worker), here in seen.lines.items() if id == meeting.id}
        shown = {worker: here for worker, here in lines.items() if worker not in seen.erased}
        assert shown == meeting.roll, "published lines and the roll"
        assert sum(shown.values()) + meeting.erased_present == meeting.present
        assert len(shown) + meeting.erased_present + meeting.erased_absent == meeting.present + meeting.absent
        held = [each.data for each in meeting._events if isinstance(each.data, SessionHeld)][-1]
        before_erasures = (held.present, held.absent)
        assert before_erasures == (meeting.present, meeting.absent), (
            "the calendar, and an erased person stays in the count"
        )
        members, present = seen.sheet(meeting)
        assert {*meeting.roll} <= {*members}
        meeting.call_roll(members, present, AT)
