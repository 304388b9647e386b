"""Answers without a search: nobody wants a seat, or too few people wait to open a group and none stands.

Invariant: the answer is the one that the search would give. No loop is compiled or loaded for it.
"""

from grouping.formation.model import Answer, Group, Problem, Unplaced
from grouping.formation.pool import later
from grouping.formation.scoring import score


def wanting(problem: Problem) -> int:
    """Number of people who want a seat now: they have none, and do not wait until later."""
    seated = {id for group in problem.frozen for id in group.members}
    return sum(each.id not in seated and not later(problem, each) for each in problem.people)


def settled(problem: Problem, seed: int) -> Answer:
    """The answer when nobody wants a seat: the groups that meet, as they are."""
    groups = tuple(
        Group.model_validate(each.model_dump() | {"members": tuple(sorted(each.members))}) for each in problem.frozen
    )
    seated = {id for group in groups for id in group.members}
    held = sorted(each.id for each in problem.people if each.id not in seated)
    unplaced = tuple(Unplaced(id=id, reasons=("not_before",)) for id in held)
    return Answer(groups=groups, unplaced=unplaced, score=score(problem, groups), seed=seed)


def hopeless(problem: Problem, answer: Answer) -> bool:
    """True when no single change can place anybody: there is no group to join, and too few people wait to open one."""
    return not answer.groups and wanting(problem) < problem.size[0]
