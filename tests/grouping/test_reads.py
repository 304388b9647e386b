"""Reads of groups and pool count from the rows of the read models."""

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
GROUPS: list[dict[str, Any]] = [{"group": "g1", "facilitator": "f1"}, {"group": "g2", "facilitator": "f2"}]


async def rows(projection: str, where: dict[str, Any] | None = None, /) -> list[dict[str, Any]]:
    found = POOL if projection == "pool" else GROUPS
    return [row for row in found if (where or {}).items() <= row.items()]


async def test_who_waits_who_is_held_back_and_who_sits_is_counted_once_and_who_left_the_pool_not_at_all() -> None:
    assert await figures(rows) == Figures(waiting=3, held_back=1, seated=3)


async def test_groups_come_with_the_members_who_sit_there_and_a_facilitator_is_given_their_own() -> None:
    assert [(each["group"], each["members"]) for each in await groups(rows)] == [("g1", 2), ("g2", 1)]
    assert [each["group"] for each in await groups(rows, "f2")] == ["g2"]
