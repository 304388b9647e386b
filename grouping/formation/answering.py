"""Turns the arrays back into an answer: names instead of numbers, the score, and the reasons of the unplaced."""

import numpy as np

from grouping.formation.model import Answer, Group, Problem, Unplaced
from grouping.formation.pool import Pool, later
from grouping.formation.reasons import reasons
from grouping.formation.scoring import score
from grouping.formation.tables import Tables


def answered(problem: Problem, pool: Pool, made: Tables, seed: int) -> Answer:
    """The answer. Frozen groups keep their names; new ones are called new-1, new-2 and so on."""
    frozen = [each.id for each in problem.frozen]
    names = (
        name for name in (f"new-{n}" for n in range(1, len(made.slot) + len(frozen) + 1)) if name not in set(frozen)
    )
    groups = tuple(
        Group(
            id=frozen[at] if at < len(frozen) else next(names),
            slot=problem.slots[made.slot[at]],
            place=problem.places[made.place[at]].id,
            facilitator=problem.facilitators[made.leader[at]].id,
            members=tuple(sorted(problem.people[one].id for one in made.members[at, : made.size[at]])),
        )
        for at in np.flatnonzero(made.slot >= 0)
    )
    standing = [at for at in np.flatnonzero(made.seat < 0) if not later(problem, problem.people[at])]
    held = [
        Unplaced(id=each.id, reasons=("not_before",))
        for at, each in enumerate(problem.people)
        if made.seat[at] < 0 and later(problem, each)
    ]
    why = reasons(pool, made, standing)
    waiting = [Unplaced(id=problem.people[at].id, reasons=why[at]) for at in standing]
    unplaced = tuple(sorted([*held, *waiting], key=lambda each: each.id))
    return Answer(groups=groups, unplaced=unplaced, score=score(problem, groups), seed=seed)
