"""Names of a group are for whoever leads it on that day, and of those who are members on that day."""

from datetime import UTC, date, datetime
from itertools import permutations
from typing import Any

import pytest

from enrolment.domain import Status, Worker
from enrolment.names.queries import Rolls, leads, members, read_names, shown
from enrolment.projections import Leaders, Members
from services.contracts import Event
from services.contracts.grouping import FacilitatorAssigned, MemberJoined, MemberLeft
from services.kernel import Refusal, Refused
from tests.enrolment.memory import MemoryWork
from tests.enrolment.workers import sealed

MONDAY, TUESDAY, FRIDAY = date(2026, 10, 5), date(2026, 10, 6), date(2026, 10, 9)
Row = dict[str, Any]


class Rows:
    """Rows of one projection, by key."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}

    def set(self, key: str, *, person: str | None = None, **facts: Any) -> None:
        plain = {name: each.isoformat() if isinstance(each, date) else each for name, each in facts.items()}
        self.rows.setdefault(key, {}).update(plain | ({"person": person} if person else {}))

    def drop(self, key: str) -> None:
        del self.rows[key]


def rows_of(projection: Leaders | Members, *told: Any) -> list[Row]:
    """The rows after these events of the group g, in this order."""
    rows, handlers = Rows(), projection.handlers()
    for number, data in enumerate(told, 1):
        at = datetime(2026, 10, 1, tzinfo=UTC)
        event: Event[Any] = Event(f"e{number}", "/programmes/smoke/grouping", data.type, "g", at, at, number, data)
        handlers[data.type](event, rows)
    return list(rows.rows.values())


def led(*assigned: tuple[str, date]) -> list[Row]:
    return rows_of(Leaders(), *(FacilitatorAssigned(facilitator=who, since=since) for who, since in assigned))


def seats(*told: tuple[str, str, date]) -> list[Row]:
    kinds = {"in": MemberJoined, "out": MemberLeft}
    return rows_of(Members(), *(kinds[what](worker=worker, since=since) for what, worker, since in told))


ANNA_THEN_BEA = led(("anna", MONDAY), ("bea", FRIDAY))


@pytest.mark.parametrize(
    ("facilitator", "on", "today", "may"),
    [
        ("anna", MONDAY, MONDAY, True), ("anna", TUESDAY, MONDAY, True), ("anna", FRIDAY, MONDAY, False),
        ("anna", MONDAY, FRIDAY, False),  # she was replaced: not even the days on which she led
        ("bea", FRIDAY, MONDAY, True), ("bea", FRIDAY, FRIDAY, True), ("bea", MONDAY, FRIDAY, False), ("bea", TUESDAY, MONDAY, False),
        ("carla", MONDAY, MONDAY, False), ("anna", date(2026, 10, 4), MONDAY, False),
    ],
)  # fmt: skip
def test_whoever_leads_the_group_on_the_day_and_was_not_replaced_may_read(
    facilitator: str, on: date, today: date, may: bool
) -> None:
    for rows in permutations(ANNA_THEN_BEA):
        assert leads(rows, facilitator, on, today) is may


def test_of_two_assignments_of_one_day_the_later_counts() -> None:
    assert leads(led(("anna", MONDAY), ("bea", MONDAY)), "bea", MONDAY, MONDAY)
    assert not leads(led(("bea", MONDAY), ("anna", MONDAY)), "bea", MONDAY, MONDAY)


def test_a_member_is_one_from_the_first_day_up_to_the_day_before_the_seat_ends() -> None:
    told = seats(("in", "ada", MONDAY), ("in", "ugo", TUESDAY), ("out", "ada", FRIDAY))
    days = (date(2026, 10, 4), MONDAY, TUESDAY, FRIDAY)
    for rows in permutations(told):
        assert [members(rows, day) for day in days] == [[], ["ada"], ["ada", "ugo"], ["ugo"]]


def test_a_seat_that_was_given_up_before_it_began_is_none_and_whoever_comes_back_is_a_member_again() -> None:
    assert members(seats(("in", "ada", FRIDAY), ("out", "ada", FRIDAY)), FRIDAY) == []
    again = seats(("in", "ada", MONDAY), ("out", "ada", TUESDAY), ("in", "ada", FRIDAY))
    assert [members(again, day) for day in (MONDAY, TUESDAY, FRIDAY)] == [["ada"], [], ["ada"]]


def test_two_people_who_would_be_shown_alike_have_their_whole_names() -> None:
    names = {
        "1": ("Adele", "Pozzi"),
        "2": ("Bruno", "Testa"),
        "3": ("Adele", "Pirola"),
        "4": ("Kim", ""),
        "5": ("", ""),
    }
    assert shown(names) == {"1": "Adele Pozzi", "2": "Bruno T.", "3": "Adele Pirola", "4": "Kim", "5": ""}


def member(id: str, given: str, family: str) -> Worker:
    card = {"given_name": sealed(id, "given_name", given), "family_name": sealed(id, "family_name", family)}
    return Worker(id=id, partner="cisl", card=card)


async def test_the_names_of_the_members_of_the_day_are_read_and_each_has_it_in_their_log() -> None:
    erased = Worker(id="w4", partner="cisl", status=Status.ERASED)
    work = MemoryWork(member("w1", "Ada", "Po"), member("w2", "Ugo", "Re"), member("w3", "Eva", "Sa"), erased)
    told = seats(
        ("in", "w1", MONDAY), ("in", "w2", MONDAY), ("in", "w3", FRIDAY), ("in", "w4", MONDAY), ("in", "w5", MONDAY)
    )
    for facilitator in ("anna", None):
        names = await read_names(work.as_work, "g", Rolls(led(("anna", MONDAY)), told), facilitator, MONDAY)
        assert names == {"w1": "Ada P.", "w2": "Ugo R."}
    assert work.accesses == [("w1", "names of group g"), ("w2", "names of group g")]


@pytest.mark.parametrize(("assigned", "who"), [([("anna", MONDAY)], "bea"), ([], None), ([], "anna")])
async def test_others_are_refused_as_if_there_were_no_such_group_and_nobody_is_noted(
    assigned: list[tuple[str, date]], who: str | None
) -> None:
    work = MemoryWork(member("w1", "Ada", "Po"))
    rolls = Rolls(led(*assigned), seats(("in", "w1", MONDAY)))
    with pytest.raises(Refused) as refused:
        await read_names(work.as_work, "g", rolls, who, MONDAY)
    assert (refused.value.code, refused.value.kind, work.accesses) == ("no-such-group", Refusal.NOT_FOUND, [])
