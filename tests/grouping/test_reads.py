"""Reads of groups and pool count from the rows of the read models."""

from datetime import date
from typing import Any

from grouping.membership.queries import Figures, figures, groups

POOL: list[dict[str, Any]] = [
    {"worker": "w1", "waits": "2027-01-01", "not_before": None},
    {"worker": "w2", "waits": "2027-01-01", "not_before": "2027-03-01"},
    {"worker": "w3", "waits": "2027-01-01", "not_before": "2027-03-01"},
    {"worker": "w4", "waits": "2027-01-01", "not_before": None},
    {"worker": "w5", "waits": "2027-01-01", "not_before": None},
    {"worker": "w6", "waits": "2027-01-01", "not_before": None, "gone": "2027-02-01"},
    {"worker": "w7", "gone": "2027-01-02"},
    {"worker": "w8", "waits": "2027-01-01", "not_before": None},
    {"member": "w3", "group": "g1", "since": "2027-01-11", "left": None},
    {"member": "w4", "group": "g1", "since": "2027-01-11", "left": None},
    {"member": "w5", "group": "g1", "since": "2027-01-11", "left": "2027-02-01"},
    {"member": "w6", "group": "g1", "since": "2027-01-11", "left": "2027-02-01"},
    {"member": "w7", "group": "g1", "left": "2027-02-01"},  # the other event has not come yet
    {"member": "w8", "group": "g1", "since": "2027-01-11", "left": "2027-02-01"},
    {"member": "w8", "group": "g2", "since": "2027-03-01", "left": None},
]
TODAY = date(2027, 2, 1)
GROUPS: list[dict[str, Any]] = [{"group": "g1", "facilitator": "f1"}, {"group": "g2", "facilitator": "f2"}]


LEADERS: list[dict[str, Any]] = [
    {"group": "g1", "facilitator": "f1", "since": date(2027, 1, 1), "order": 1},
    {"group": "g2", "facilitator": "f1", "since": date(2027, 1, 1), "order": 1},
    {"group": "g2", "facilitator": "f2", "since": date(2027, 3, 1), "order": 2},
]
ROWS = {"pool": POOL, "groups": GROUPS, "leaders": LEADERS}


async def rows(projection: str, where: dict[str, Any] | None = None, /) -> list[dict[str, Any]]:
    def fits(row: dict[str, Any]) -> bool:
        return all(
            row.get(name) in value["$in"] if isinstance(value, dict) else row.get(name) == value
            for name, value in (where or {}).items()
        )

    return [row for row in ROWS[projection] if fits(row)]


async def test_who_waits_who_is_held_back_and_who_sits_is_counted_once_and_who_left_the_pool_not_at_all() -> None:
    assert await figures(rows) == Figures(waiting=3, held_back=1, seated=3)


async def test_groups_come_with_the_members_who_sit_there_and_a_facilitator_is_given_their_own() -> None:
    assert [(each["group"], each["members"]) for each in await groups(rows, None, TODAY)] == [("g1", 2), ("g2", 1)]
    assert [each["group"] for each in await groups(rows, "f2", TODAY)] == ["g2"]


async def test_a_facilitator_who_was_replaced_is_given_the_group_no_more_and_the_next_one_before_their_first_day() -> (
    None
):
    before, after = date(2027, 2, 1), date(2027, 4, 1)
    assert [each["group"] for each in await groups(rows, "f1", before)] == ["g1", "g2"]
    assert [each["group"] for each in await groups(rows, "f1", after)] == ["g1"]
    assert [each["group"] for each in await groups(rows, "f2", before)] == ["g2"]
