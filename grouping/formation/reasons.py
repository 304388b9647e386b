"""Reasons why people are unplaced: for each the one that is nearest to what would have to change."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from grouping.formation.model import Reason
from grouping.formation.pool import COLLEAGUES, Pool
from grouping.formation.tables import Tables


def reasons(pool: Pool, made: Tables, people: Sequence[Any]) -> dict[Any, tuple[Reason, ...]]:
    """Reasons of these people, none of whom has a seat or waits until later."""
    return {at: (_why(pool, made, int(at)),) for at in people}


def _why(pool: Pool, made: Tables, person: int) -> Reason:
    """The first reason, in the order of what would have to change."""
    places, slots = np.flatnonzero(pool.reach[person]), np.flatnonzero(pool.free[person])
    if not len(places):
        return "no_place_in_reach"
    if not len(slots):
        return "no_slot_in_reach"
    able = pool.load > 0
    led = pool.leads[able][:, slots].T.astype(int) @ pool.goes[able][:, places].astype(int) > 0
    if not led.any():
        return "no_facilitator"
    if pool.wish[person] == COLLEAGUES:
        return "too_few_colleagues"
    fitting = [g for g in np.flatnonzero(made.slot >= 0) if _fits(pool, made, person, g)]
    roomy = [g for g in fitting if made.size[g] < made.high[g]]
    if roomy:
        return _of_company(pool, made, person, roomy)
    if fitting:
        return "full"
    taken = made.used[np.ix_(slots, places)] >= pool.rooms[places][None, :]
    return "no_room" if taken.all() else "no_slot_in_reach"


def _fits(pool: Pool, made: Tables, person: int, group: Any) -> bool:
    if not pool.free[person, made.slot[group]] or not pool.reach[person, made.place[group]]:
        return False
    if made.kind[group] >= 0:
        return bool(pool.company[person] == made.kind[group] and pool.wish[person] != 2)
    return bool(pool.wish[person] != COLLEAGUES)


def _of_company(pool: Pool, made: Tables, person: int, groups: Sequence[Any]) -> Reason:
    """The reason when there is room: a person kept apart is there, or nobody of the same kind, or colleagues alone."""
    mates = set(pool.apart[pool.apart_first[person] : pool.apart_first[person + 1]].tolist())
    for group in groups:
        if mates & set(made.members[group, : made.size[group]].tolist()):
            return "apart"
    return "alone" if any(pool.lone[column] for column in pool.column[person]) else "no_slot_in_reach"
