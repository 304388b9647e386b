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
    if _nobody_alike(pool, made, person):
        return "alone"
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


def _nobody_alike(pool: Pool, made: Tables, person: int) -> bool:
    """True when nobody else of one of the person's kinds could ever sit where the person can."""
    meets = pool.free[:, pool.free[person] == 1].any(1) & pool.reach[:, pool.reach[person] == 1].any(1)
    for other in np.flatnonzero(made.stays == 1):
        meets[other] = _fits(pool, made, person, made.seat[other])
    meets &= (made.stays == 1) | (pool.waits == 1)
    meets[person] = False
    return any(
        pool.lone[column] and not (meets & (pool.column == column).any(1)).any() for column in pool.column[person]
    )


def _of_company(pool: Pool, made: Tables, person: int, groups: Sequence[Any]) -> Reason:
    """The reason when there is room: a person kept apart is there, or nobody of the same kind, or colleagues alone."""
    mates = set(pool.apart[pool.apart_first[person] : pool.apart_first[person + 1]].tolist())
    members = [made.members[group, : made.size[group]] for group in groups]
    if any(mates & set(each.tolist()) for each in members):
        return "apart"
    lone = [column for column in pool.column[person] if pool.lone[column]]
    alone = any(not (pool.column[each] == column).any() for each in members for column in lone)
    return "alone" if alone else "no_slot_in_reach"
