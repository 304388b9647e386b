"""The search: a timetable at which most people can sit, then the members of its groups. It is repeated where that is quick, and the best
result is the answer.

Invariant: the answer breaks no hard rule, also when that leaves people unplaced and however little time there was. Without a limit in
seconds the same problem, seed and steps give the same answer.
"""

import numpy as np

from grouping.formation import annealing, opening, timetable
from grouping.formation.answering import answered
from grouping.formation.bound import bound
from grouping.formation.budget import Budget, Progress, budget
from grouping.formation.careful import mended, needed
from grouping.formation.exact import exact
from grouping.formation.model import Answer, Problem
from grouping.formation.pool import Pool, pool
from grouping.formation.scoring import worth
from grouping.formation.tables import Tables, copied, restored, tables

STARTS = ((150, 6), (400, 4))  # (people, starts): up to so many people, so many starts
LAST = 0.25  # share of the time for a last start, from the best result of the others
VARIED = 150  # people up to which other timetables are tried for diversity
VARYING = 0.75  # share of a start's time for that
QUICK = 300  # steps for each person to estimate the worth of a timetable
TIMETABLE = 0.6  # share of a start's time for the timetable
LONGER = 0.85  # the same, while changes still seat people
CHANGES = 600_000  # of the timetable for all starts, divided by the number of people, without a limit in seconds
FINISH = 0.9  # share of a start's time for annealing; the rest is for the descent and the answer
WARM, COLD = 2.5, 0.1  # first and last temperature, in units of a typical exchange
COOLING = (0.5, 0.35, 0.25, 0.17, 0.12)  # temperatures of the short annealing, in the same unit
VARIATIONS, REPAIRS = 20, 20  # timetables tried from the same one, and changes to repair each
CHANGED = 10  # changes of the timetable between two checks of the time
CHUNK = 100_000  # steps between two checks of the time
STRICT = 1e6  # cost of a fault in the descent, in largest distances


def solve(
    problem: Problem,
    seed: int = 0,
    *,
    seconds: float | None = None,
    steps: int | None = None,
    progress: Progress | None = None,
) -> Answer:
    """Place as many people as possible, those who wait longest first, in groups as diverse as can be found.

    `seconds` is kept to a twentieth (compiling for the first time comes on top); `steps` counts those of the annealing.
    """
    arrays = pool(problem)
    limit = budget(int(arrays.waits.sum()), steps, seconds, progress)
    made = tables(problem, arrays)
    proven = exact(arrays, made, seconds)
    best = None if proven is None else answered(problem, arrays, made, seed)
    if best is not None and proven:
        return best
    starts = next((number for people, number in STARTS if arrays.waits.sum() <= people), 1)
    kept: Tables | None = None
    for start in range(starts):
        last = start == starts - 1
        length = (1 - LAST) / max(1, starts - 1)
        share = (start * length if starts > 1 else 0.0, 1.0 if last else (start + 1) * length)
        again = kept if last else None
        made = _start(problem, arrays, seed * 1000 + start, limit, share, again)
        found = answered(problem, arrays, made, seed)
        if best is None or worth(problem, found) > worth(problem, best):
            best, kept = found, made
        if limit.part() >= 1:
            break
    assert best is not None
    return best.model_copy(update={"seconds": round(limit.spent(), 3) if seconds is not None else None})


def _start(
    problem: Problem, pool: Pool, seed: int, limit: Budget, share: tuple[float, float], again: Tables | None
) -> Tables:
    """One independent search, or a search that goes on from the result `again` of an earlier one."""
    made = tables(problem, pool) if again is None else copied(again)
    work = timetable.work(pool, made, copied(made), seed)
    chance = np.random.default_rng(seed)
    if len(made.slot) and len(problem.places):
        if again is None:
            _meet(pool, made, work, chance, limit, share)
        if pool.waits.sum() <= VARIED:
            _vary(pool, made, work, limit, share[0] + VARYING * (share[1] - share[0]))
        totals = annealing.totals_of(pool, made, work.rng)
        _anneal(problem, pool, made, totals, limit, share)
        if needed(pool, made, annealing.faults(pool, made, totals)):
            mended(problem, pool, made, seed, limit)
            # The repair was the last step that may break a rule on its way: from here on no step can.
            _descend(pool, made, annealing.totals_of(pool, made, work.rng, strict=True), 1, limit, share[1])
    return made


def _meet(
    pool: Pool,
    made: Tables,
    work: timetable.Work,
    chance: np.random.Generator,
    limit: Budget,
    share: tuple[float, float],
) -> None:
    """Find a timetable: the slot, the place and the facilitator of each group."""
    wait = int(pool.waits.sum())
    opening.open_groups(pool, made, chance, max(1, -(-wait // pool.most), int(wait / min(pool.most, pool.least * 1.1))))
    lost = timetable.settle(pool, made, work)
    begin, length = share[0], share[1] - share[0]
    changes, until = max(200, int(length * CHANGES / max(1, len(made.seat)))), begin + TIMETABLE * length
    while lost and changes > 0 and limit.part() < until:
        before, groups = lost, int((made.held > 0).sum()) + wait // pool.least
        lost = timetable.improve(pool, made, work, CHANGED, groups, lost)
        changes -= CHANGED if limit.steps is not None else 0
        if before - lost >= 1:
            until = max(until, min(begin + LONGER * length, begin + 1.5 * (limit.part() - begin)))
        limit.tell(int((made.seat >= 0).sum()), 0.0, 0.0)
    timetable.close_short(pool, made, work)
    timetable.longest_waiting_first(pool, made, work)


def _vary(pool: Pool, made: Tables, work: timetable.Work, limit: Budget, until: float) -> None:
    """Try other timetables near the best one that lose no more, each with a short annealing of the members."""
    lost, best = timetable.lost(pool, made, work.worth), copied(made)
    highest = -np.inf
    groups = max(int((made.slot >= 0).sum()), int((made.held > 0).sum() + pool.waits.sum() // pool.least))
    while limit.part() < until:
        value = _worth(pool, made, work, limit)
        if value >= highest:
            highest, best = value, copied(made)
        then = lost
        for _ in range(VARIATIONS):
            restored(made, best)
            then = timetable.shift(pool, made, work, groups)
            then = timetable.improve(pool, made, work, REPAIRS, groups, then)
            limit.done += 100 * REPAIRS  # a change takes as long as so many steps
            if then <= lost or limit.part() >= until:
                break
        if then > lost:
            restored(made, best)
        limit.tell(int((made.seat >= 0).sum()), 0.0, 0.0)
    restored(made, best)


def _unit(pool: Pool) -> float:
    """Typical change of the sum of distances by one exchange."""
    return float(2 * pool.far / max(1, pool.column.shape[1]) / max(1, pool.most - 1))


def _worth(pool: Pool, made: Tables, work: timetable.Work, limit: Budget) -> float:
    """Diversity after a short annealing, less a large penalty for each fault that is left."""
    totals = annealing.totals_of(pool, made, work.rng)
    unit = _unit(pool)
    steps = QUICK * len(totals.movers) // len(COOLING)
    for warmth in COOLING:
        annealing.anneal(pool, made, totals, steps, unit * warmth, unit * 20)
    annealing.anneal(pool, made, totals, steps, 0.0, STRICT * (totals.far[0] + 1))
    limit.done += steps * (1 + len(COOLING))
    return float(annealing.value(made, totals) - STRICT * totals.faults[0])


def _anneal(
    problem: Problem, pool: Pool, made: Tables, totals: annealing.Totals, limit: Budget, share: tuple[float, float]
) -> None:
    """Anneal the members: from a temperature at which most exchanges are accepted to one at which hardly any is."""
    unit = _unit(pool)
    begin, end = limit.part(), share[0] + FINISH * (share[1] - share[0])
    chunk = min(CHUNK, max(1000, 20 * len(totals.movers)))
    part = begin
    highest = _highest(problem, pool, made) if limit.progress else 0.0
    while part < end and len(totals.movers):
        cooled = (part - begin) / max(1e-9, end - begin)
        annealing.anneal(pool, made, totals, chunk, unit * WARM * (COLD / WARM) ** cooled, unit * (2 + 40 * cooled))
        limit.done += chunk
        mixed = int(made.size[(made.slot >= 0) & (made.kind < 0)].sum())
        limit.tell(int((made.seat >= 0).sum()), annealing.value(made, totals) / max(1, mixed), highest)
        part = limit.part()
    _descend(pool, made, totals, 2, limit, share[1])


def _descend(pool: Pool, made: Tables, totals: annealing.Totals, times: int, limit: Budget, until: float) -> None:
    neighbours = times * len(totals.groups) * pool.most
    chunk = min(CHUNK, max(1000, 5 * neighbours))
    while neighbours > 0:
        annealing.anneal(pool, made, totals, chunk, 0.0, STRICT * (totals.far[0] + 1))
        neighbours -= chunk if limit.part() < until else neighbours


def _highest(problem: Problem, pool: Pool, made: Tables) -> float:
    return bound(problem, answered(problem, pool, made, 0).groups)
