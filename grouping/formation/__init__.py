"""The formation of groups as a pure problem: data in, proposal out. It uses no engine of ours and nothing of the service.

Invariant: an answer breaks no hard rule, also when that leaves people unplaced. `check` judges it without sharing code with the search, and
`solve` takes out of an answer what fails it.
Modules that compute are imported when they are called: a service that forms no group loads no compiler.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from grouping.formation.checking import check, inherited
from grouping.formation.model import Answer, Frozen, Group, Problem

if TYPE_CHECKING:
    from grouping.formation.budget import SoFar
    from grouping.formation.joining import Effect
    from grouping.formation.lacking import Lack


def solve(
    problem: Problem,
    seed: int = 0,
    *,
    seconds: float | None = None,
    steps: int | None = None,
    progress: "Callable[[SoFar], bool | None] | None" = None,
) -> Answer:
    """Place as many people as possible, those who wait longest first, in groups as diverse as can be found.

    `seconds` is kept to a twentieth, except for compiling on the very first call; `steps` counts those of the annealing. `progress` is
    called with the state of the search, and ends it by returning True. Without `seconds`, the same problem, seed and steps give the same
    answer.
    """
    from grouping.formation.settled import settled, wanting

    if not wanting(problem):
        return settled(problem, seed)
    from grouping.formation import compiling, keeping, search

    compiling.keep()
    return keeping.kept(problem, search.solve(problem, seed, seconds=seconds, steps=steps, progress=progress))


def advise(problem: Problem, answer: Answer, *, seconds: float = 5.0) -> Answer:
    """Return the same answer with the single changes that would place most of those who wait, each tried by solving again."""
    from grouping.formation.settled import hopeless

    if hopeless(problem, answer):
        return answer
    from grouping.formation import compiling, helping

    compiling.keep()
    return helping.advise(problem, answer, seconds)


def explanations(problem: Problem, answer: Answer) -> list[str]:
    """Say in the fewest sentences where most of those who wait could come, and what is missing there."""
    from grouping.formation.lacking import lack_sentence

    return [lack_sentence(each) for each in lacks(problem, answer)]


def lacks(problem: Problem, answer: Answer) -> "list[Lack]":
    """Say the same as facts, for a page in another language."""
    if all("not_before" in each.reasons for each in answer.unplaced):
        return []
    from grouping.formation import compiling, helping

    compiling.keep()
    return helping.lacks(problem, answer)


def place(problem: Problem, groups: Sequence[Group | Frozen], person: str) -> "list[Effect]":
    """Compute the effect on each of these groups if a person without a seat joined it, best first. Groups that they cannot join are left
    out."""
    from grouping.formation import joining

    return joining.place(problem, groups, person)


__all__ = ["Answer", "Problem", "advise", "check", "explanations", "inherited", "lacks", "place", "solve"]
