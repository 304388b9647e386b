"""Figures without a person behind them: what counts, and how they stand beside targets and plan."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from analytics.process import Calendar, Pace, Plan, Process, process
from analytics.projections import Meetings, Places
from services.contracts.grouping import GroupConcluded, GroupFormed, Kind, PlaceRegistered
from services.contracts.sessions import SessionCancelled, SessionHeld, SessionScheduled
from services.programmes import load_all
from tests.analytics.rows import event, projected

RULES = load_all()["monza-brianza"]
FIRST = datetime(2026, 11, 2, 17, tzinfo=UTC)  # a Monday, 18:00 in the programme
MIDDLE = datetime(2027, 5, 31, 12, tzinfo=UTC)


def formed(group: str, place: str = "p1", kind: Kind = Kind.HETEROGENEOUS, concluded: date | None = None) -> list[Any]:
    data = GroupFormed(kind=kind, slot="mon-evening", place=place, facilitator="f1", first=date(2026, 11, 2))
    ended = [] if concluded is None else [event(GroupConcluded(on=concluded), group, 2)]
    return [event(data, group), *ended]


def met(group: str, number: int, held: bool) -> list[Any]:
    id, starts = f"{group}-{number}", FIRST + timedelta(days=14 * (number - 1))
    told = [event(SessionScheduled(group=group, number=number, starts=starts, place="p1"), id)]
    if held:
        told.append(event(SessionHeld(group=group, number=number, on=starts.date(), present=9, absent=2), id, 2))
    return told


def seen(*events: Any, places: list[Any] | None = None, now: datetime = MIDDLE, rules: Any = RULES) -> Process:
    meetings = list(projected(Meetings(), *events).values())
    return process(meetings, list(projected(Places(), *places or []).values()), rules, now)


def test_the_plan_is_the_share_of_days_that_are_over_both_ends_included() -> None:
    starts, ends = RULES.starts, RULES.ends
    assert Plan.of(RULES, starts - timedelta(days=1)).share == 0
    assert Plan.of(RULES, starts).passed == 1
    assert Plan.of(RULES, ends).share == Plan.of(RULES, ends + timedelta(days=90)).share == 1
    assert Plan.of(RULES, date(2027, 5, 31)).share == pytest.approx(273 / 547)


def test_groups_stand_beside_their_target_and_what_the_plan_expects_by_now() -> None:
    groups = seen(*formed("g1"), *formed("g2"), *formed("g3")).groups
    assert (groups.reached, groups.target, groups.pace) == (3, 6, Pace.IN_LINE)
    assert groups.expected == pytest.approx(6 * 273 / 547)


@pytest.mark.parametrize(
    ("number", "pace"),
    [(0, Pace.BEHIND), (1, Pace.BEHIND), (2, Pace.IN_LINE), (3, Pace.IN_LINE), (4, Pace.AHEAD), (6, Pace.AHEAD)],
)
def test_a_figure_is_in_line_while_it_is_less_than_one_from_the_plan(number: int, pace: Pace) -> None:
    """Expect just under three of six groups in the middle."""
    told = [each for at in range(number) for each in formed(f"g{at}")]
    assert seen(*told).groups.pace is pace


def test_before_its_first_day_a_programme_is_behind_nothing() -> None:
    assert seen(now=datetime(2026, 8, 30, tzinfo=UTC)).groups.pace is Pace.NOT_BEGUN


def test_the_day_of_the_plan_is_that_of_the_programme() -> None:
    assert seen(now=datetime(2026, 8, 31, 22, 30, tzinfo=UTC)).plan.passed == 1
    assert seen(now=datetime(2026, 8, 31, 21, 30, tzinfo=UTC)).plan.passed == 0


def test_a_programme_without_targets_is_compared_with_nothing_and_other_targets_are_named() -> None:
    bare = RULES.model_copy(update={"targets": {"trained-facilitators": 12}})
    found = seen(*formed("g1"), rules=bare)
    assert (found.groups.pace, found.meetings.pace, found.seats.pace) == (Pace.NO_TARGET,) * 3
    assert found.other == (("trained-facilitators", 12),)


def test_meetings_are_planned_due_held_or_without_a_roll_call() -> None:
    told = [*formed("g1"), *met("g1", 1, True), *met("g1", 2, False), *met("g1", 3, False)]
    between = FIRST + timedelta(days=20)
    assert seen(*told, now=between).calendar == Calendar(planned=3, due=2, held=1, missing=1)
    assert seen(*told, now=FIRST + timedelta(minutes=-1)).calendar == Calendar(planned=3, due=1, held=1, missing=0)


def test_nobody_waits_for_the_meetings_after_the_end_of_a_group() -> None:
    told = [*formed("g1", concluded=date(2026, 11, 16))]
    for number, held in ((1, True), (2, False), (3, False)):
        told += met("g1", number, held)
    assert seen(*told).calendar == Calendar(planned=2, due=2, held=1, missing=1)


def test_a_cancelled_meeting_is_not_planned_any_more() -> None:
    told = [*formed("g1"), *met("g1", 1, True), *met("g1", 2, False)]
    cancelled = event(SessionCancelled(group="g1", number=2), "g1-2", 2)
    assert seen(*told, cancelled).calendar == Calendar(planned=1, due=1, held=1, missing=0)


def test_a_group_that_is_over_counts_as_formed_and_not_as_running() -> None:
    found = seen(*formed("g1", concluded=date(2027, 5, 1)), *formed("g2", kind=Kind.HOMOGENEOUS))
    assert (found.groups.reached, found.running, found.concluded) == (2, 1, 1)
    assert (found.homogeneous, found.heterogeneous) == (1, 1)


def test_seats_are_those_that_the_groups_can_have_and_no_count_of_people() -> None:
    found = seen(*formed("g1"), *formed("g2")).seats
    assert (found.reached, found.target) == (2 * RULES.sizes.max, RULES.targets["members"])


def test_places_are_counted_once_corrected_or_not_and_used_where_a_group_runs() -> None:
    def place(id: str, number: int, rooms: int) -> Any:
        data = PlaceRegistered(title=f"Casa {id}", address="Via 1", municipality="monza", rooms=rooms, access=True)
        return event(data, id, number)

    told = [*formed("g1"), *formed("g2"), *formed("g3", "p2", concluded=date(2026, 12, 1))]
    found = seen(*told, places=[place("p1", 1, 1), place("p1", 2, 3), place("p2", 1, 1)])
    assert (found.places, found.rooms, found.used) == (2, 4, 1)
    assert [(each.group, each.title) for each in found.lines] == [
        ("g1", "Casa p1"),
        ("g2", "Casa p1"),
        ("g3", "Casa p2"),
    ]


def test_a_group_at_a_place_that_is_not_known_yet_is_listed_without_its_title() -> None:
    [line] = seen(*formed("g1", "elsewhere")).lines
    assert (line.place, line.title, line.municipality) == ("elsewhere", None, None)


def test_no_row_about_a_person_is_needed_and_no_figure_says_how_many_came() -> None:
    told = [*formed("g1"), *met("g1", 1, True)]
    changed = [event(SessionHeld(group="g1", number=1, on=FIRST.date(), present=3, absent=8), "g1-1", 3)]
    assert seen(*told) == seen(*told, *changed)
