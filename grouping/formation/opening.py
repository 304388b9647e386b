"""Opens the first groups: at the slot and place to which most people could come who have few other choices.

Invariant: a group is opened only where a room and a facilitator are free and at least as many people could come as it needs.
"""

from typing import Any

import numpy as np

from grouping.formation.pool import COLLEAGUES, OTHERS, Pool
from grouping.formation.tables import NOBODY, Tables, open_group, sit

NOISE = 0.15  # relative noise on the worth of a cell, so that starts differ


def open_groups(pool: Pool, tables: Tables, chance: np.random.Generator, wanted: int) -> None:
    """Open groups for companies whose people insist on colleagues, then up to `wanted` groups for all, and seat people in them."""
    for company in np.unique(pool.company[(pool.wish == COLLEAGUES) & (pool.company >= 0)]):
        own = (pool.company == company) & (pool.wish != OTHERS) & (pool.waits == 1)
        insisting = int((own & (pool.wish == COLLEAGUES) & (tables.seat < 0)).sum())
        groups = min(-(-insisting // pool.most), int(own.sum()) // pool.least)
        _open(pool, tables, chance, own, groups, int(company))
    _open(pool, tables, chance, (pool.wish != COLLEAGUES) & (pool.waits == 1), wanted, NOBODY)


def _open(pool: Pool, tables: Tables, chance: np.random.Generator, who: Any, groups: int, company: int) -> None:
    ways = np.maximum(1, pool.free.sum(1, dtype=float) * pool.reach.sum(1))
    rare = np.where(pool.wish == COLLEAGUES, 1e3 if company >= 0 else 1, 1) / ways * chance.uniform(0.9, 1.1, len(ways))
    standing = who & (tables.seat < 0)
    worth = (pool.free[standing] * rare[standing, None]).T @ pool.reach[standing].astype(float)
    count = pool.free[standing].T.astype(float) @ pool.reach[standing].astype(float)
    noise = chance.uniform(1 - NOISE, 1 + NOISE, worth.shape)
    target = min(pool.most, max(pool.least, -(-int(standing.sum()) // max(1, groups))))
    for _ in range(groups):
        cell = _best_cell(pool, tables, np.where(count >= pool.least, worth * noise, 0))
        closed = np.flatnonzero(tables.slot < 0)
        if cell is None or not len(closed):
            return
        slot, place, leader = cell
        open_group(tables, int(closed[0]), slot, place, leader, company)
        comers = np.flatnonzero(standing & (pool.free[:, slot] == 1) & (pool.reach[:, place] == 1))
        chosen = comers[np.argsort(-rare[comers], kind="stable")][:target]
        for person in chosen:
            sit(tables, int(person), int(closed[0]))
        standing[chosen] = False
        worth -= (pool.free[chosen] * rare[chosen, None]).T @ pool.reach[chosen].astype(float)
        count -= pool.free[chosen].T.astype(float) @ pool.reach[chosen].astype(float)


def _best_cell(pool: Pool, tables: Tables, worth: Any) -> tuple[int, int, int] | None:
    """The best slot and place with a free room and a free facilitator, and the one of these facilitators with the fewest other slots."""
    worth = np.where(tables.used < pool.rooms[None, :], worth, 0)
    able = (pool.leads == 1) & (tables.busy == 0) & (tables.led < pool.load)[:, None]
    for at in np.argsort(-worth, axis=None, kind="stable"):
        slot, place = divmod(int(at), worth.shape[1])
        if worth[slot, place] <= 0:
            return None
        leaders = np.flatnonzero(able[:, slot] & (pool.goes[:, place] == 1))
        if len(leaders):
            return slot, place, int(leaders[np.argmin(able[leaders].sum(1))])
    return None
