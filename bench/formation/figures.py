"""`formation_…`: people placed, distance to the bound, time and memory on planted problems. No engine of ours is needed.

| figure | ours | floor |
|---|---|---|
| `placed` | people placed, over all problems | people whom the planted answers place |
| `violations` | lines of the checker, over all problems | 1 |
| `overrun` | seconds taken, over all problems | seconds granted |
| `90` | mean diversity of 90 people after 5 s | the same by CP-SAT after 60 s, one thread, with the planted answer as a hint |
| `900`, `3000` | mean gap to the bound in %, after 30 and 60 s | 1 % |
| `growth` | seconds per 1,000 people to a gap of 1 %, 3,000 people | the same, 900 people |
| `10000` | most MB of a process that solves for 10,000 people | 1 MB |
"""

import math
from collections.abc import Sequence
from statistics import fmean

from bench.formation.generator import Family, plant
from bench.formation.running import Run, Task, run, warm
from bench.ground import Ground
from bench.harness import Figure, Goal, figure
from grouping.formation.measuring import measure as measured

ENGINES = False
GOALS = {
    "formation_placed": Goal(1.0, "higher", "people"),
    "formation_violations": Goal(0, "lower", "lines"),
    "formation_overrun": Goal(1.05, "lower", "s"),
    "formation_90": Goal(1.0, "higher", ""),
    "formation_900": Goal(0.30, "lower", "%"),
    "formation_3000": Goal(0.40, "lower", "%"),
    "formation_growth": Goal(1.5, "lower", "s"),
    "formation_10000": Goal(1024, "lower", "MB"),
}
SEEDS = range(10)
REFERENCE = 60.0  # seconds of CP-SAT
SAME_GAP = 0.01
FIRST_BUDGET, STEP, LAST_BUDGET = 1.0, 1.5, 240.0  # seconds granted until the gap is reached

ZERO_SLACK = {
    "formation_90": (90, 5.0),
    "formation_900": (900, 30.0),
    "formation_3000": (3000, 60.0),
    "formation_10000": (10_000, 60.0),
}
ONCE = 5000  # people from whom on one seed is enough
OVER_ALL = ("formation_placed", "formation_violations", "formation_overrun")


async def measure(ground: Ground, names: list[str]) -> list[Figure]:
    """The figures. Each problem is solved once, whatever number of figures it counts in."""
    await warm(ground.folder)
    solve = _Solver(ground)
    runs: dict[str, list[Run]] = {}
    for name, (number, seconds) in ZERO_SLACK.items():
        if name in names or not set(OVER_ALL).isdisjoint(names):
            seeds = solve.seeds if number < ONCE else solve.seeds[:1]
            runs[name] = [await solve(Task(number, seed, seconds)) for seed in seeds]
    if not set(OVER_ALL).isdisjoint(names):
        families: tuple[Family, ...] = ("slack", "infeasible")
        runs["others"] = [await solve(Task(300, seed, 10.0, each)) for seed in solve.seeds for each in families]
    found = dict([*_gaps(runs), *_sums([each for some in runs.values() for each in some])])
    if "formation_90" in names:
        found["formation_90"] = _against_cpsat(ground, runs["formation_90"])
    if "formation_growth" in names:
        found["formation_growth"] = (await _to_the_gap(solve, 3000), await _to_the_gap(solve, 900))
    if "formation_10000" in names:
        found["formation_10000"] = (runs["formation_10000"][0].megabytes, 1.0)
    return [figure(name, GOALS[name], *found[name]) for name in names]


class _Solver:
    """Runs of this bench, each told as it ends. When it is only to be seen that it runs, all are small, and the same is not run again."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.seeds = range(1) if ground.quick else SEEDS
        self._small: dict[Task, Run] = {}

    async def __call__(self, task: Task) -> Run:
        if self.ground.quick:
            task = Task(min(task.number, 90), task.seed, 1.0, task.family)
        done = self._small.get(task) or await run(task, self.ground.folder)
        if self.ground.quick:
            self._small[task] = done
        for line in (done.line(), *done.violations):
            self.ground.note(line)
        return done


def _gaps(runs: dict[str, list[Run]]) -> list[tuple[str, tuple[float, float]]]:
    return [
        (name, (100 * fmean(each.measured.gap for each in some), 1.0))
        for name, some in runs.items()
        if name != "others"
    ]


def _sums(runs: Sequence[Run]) -> list[tuple[str, tuple[float, float]]]:
    if not runs:
        return []
    return [
        ("formation_placed", (sum(each.measured.placed for each in runs), sum(each.planted for each in runs))),
        ("formation_violations", (sum(len(each.violations) for each in runs), 1.0)),
        ("formation_overrun", (sum(each.seconds for each in runs), sum(each.task.seconds for each in runs))),
    ]


def _against_cpsat(ground: Ground, runs: Sequence[Run]) -> tuple[float, float]:
    """Mean diversities; where both found the same groups they are equal but for rounding, which is no win."""
    from bench.formation.reference import cpsat

    theirs = []
    for each in runs:
        planted = plant(each.task.number, each.task.seed, each.task.family)
        found = cpsat(planted, REFERENCE, first=ground.quick)
        theirs.append(measured(planted.problem, found.answer).diversity)
        proven = ", which is the most there can be" if found.optimal else ""
        ground.note(f"seed {each.task.seed}: {each.measured.diversity:.6f}, CP-SAT {theirs[-1]:.6f}{proven}")
    return round(fmean(each.measured.diversity for each in runs), 9), round(fmean(theirs), 9)


async def _to_the_gap(solve: _Solver, number: int) -> float:
    """Seconds per 1,000 people to the gap, between the last budget that missed it and the first that did not."""
    budget, before = FIRST_BUDGET, None
    while True:
        done = await solve(Task(number, 0, budget))
        gap = done.measured.gap
        if gap <= SAME_GAP or solve.ground.quick:
            break
        if budget > LAST_BUDGET:
            raise RuntimeError(f"{number} people: no gap of {SAME_GAP:.1%} in {budget:g} s")
        before, budget = (done.seconds, gap), budget * STEP
    seconds = done.seconds if before is None else _between(before, (done.seconds, gap))
    return 1000 * seconds / done.task.number


def _between(missed: tuple[float, float], reached: tuple[float, float]) -> float:
    """When the gap was reached, if its logarithm falls evenly with the logarithm of the seconds."""
    (early, wide), (late, narrow) = missed, reached
    part = math.log(wide / SAME_GAP) / math.log(wide / narrow)
    return early * math.exp(part * math.log(late / early))
