"""The last defence of an answer: groups and people by whom it breaks a rule are taken out of it.

Invariant: the answer that is returned passes the check. It places fewer people than the search did, and `defects` names the rules, so that
a defect of the search costs seats and never a rule. The frozen groups alone always pass.
"""

from collections.abc import Sequence

from grouping.formation.checking import check
from grouping.formation.model import Answer, Group, Problem, Unplaced
from grouping.formation.pool import later, pool
from grouping.formation.reasons import reasons
from grouping.formation.scoring import score
from grouping.formation.tables import seated


def kept(problem: Problem, answer: Answer) -> Answer:
    """The answer itself if it breaks no rule; else the largest part of it, group by group, that breaks none."""
    defects = check(problem, answer)
    if not defects:
        return answer
    groups = _lawful(problem, answer)
    return answer.model_copy(
        update={
            "groups": groups,
            "unplaced": _unplaced(problem, groups),
            "score": score(problem, groups),
            "defects": tuple(defects),
        }
    )


def _lawful(problem: Problem, answer: Answer) -> tuple[Group, ...]:
    """The frozen groups with those who may join them, then the new groups that may meet beside them."""
    groups = {each.id: Group.model_validate(each.model_dump()) for each in problem.frozen}
    for group in answer.groups:
        if group.id in groups:
            groups[group.id] = _joined(problem, groups, group)
        elif _passes(problem, [*groups.values(), group]):
            groups[group.id] = group
    return tuple(groups.values())


def _joined(problem: Problem, groups: dict[str, Group], wanted: Group) -> Group:
    """The frozen group with all who were to join it; where that breaks a rule, with those who may, one after the other."""
    group = groups[wanted.id]
    comers = [id for id in wanted.members if id not in group.members]
    for several in (comers, *([id] for id in comers)):
        larger = group.model_copy(update={"members": (*group.members, *several)})
        if not set(several) & set(group.members) and _passes(problem, [*({**groups, group.id: larger}).values()]):
            group = larger
    return group


def _passes(problem: Problem, groups: Sequence[Group]) -> bool:
    seats = {id for group in groups for id in group.members}
    unplaced = tuple(Unplaced(id=each.id, reasons=()) for each in problem.people if each.id not in seats)
    return not check(problem, Answer(groups=tuple(groups), unplaced=unplaced))


def _unplaced(problem: Problem, groups: Sequence[Group]) -> tuple[Unplaced, ...]:
    arrays, seats = pool(problem), {id for group in groups for id in group.members}
    standing = [at for at, each in enumerate(problem.people) if each.id not in seats]
    waiting = [at for at in standing if not later(problem, problem.people[at])]
    why = reasons(arrays, seated(problem, arrays, groups), waiting)
    told = [Unplaced(id=problem.people[at].id, reasons=why.get(at, ("not_before",))) for at in standing]
    return tuple(sorted(told, key=lambda each: each.id))
