"""Limits of a search: steps, seconds, or a caller who ends it.

Invariant: without a limit in seconds the steps alone decide, so that the same seed and steps give the same answer anywhere.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

STEPS = 20_000  # of the annealing for each person, without a limit


@dataclass(frozen=True)
class SoFar:
    """The state of a search after so many seconds: people placed, their diversity and its bound.

    During the search for a timetable the members of groups are still open: diversity and bound are 0 then.
    """

    seconds: float
    placed: int
    diversity: float
    bound: float

    @property
    def gap(self) -> float:
        """Distance below the bound, as a share of it."""
        return 1 - self.diversity / self.bound if self.bound else 0.0


Progress = Callable[[SoFar], bool | None]  # True ends the search


@dataclass
class Budget:
    """The limits in steps and seconds, and what is spent of them."""

    steps: int | None
    seconds: float | None
    progress: Progress | None = None
    done: int = 0
    enough: bool = False
    began: float = field(default_factory=time.perf_counter)

    def spent(self) -> float:
        """Seconds since the search began."""
        return time.perf_counter() - self.began

    def part(self) -> float:
        """Spent share of the limit that is nearer, 0 to 1."""
        if self.enough:
            return 1.0
        by_steps = self.done / self.steps if self.steps else 0.0
        by_time = self.spent() / self.seconds if self.seconds else 0.0
        return min(1.0, max(by_steps, by_time))

    def tell(self, placed: int, diversity: float, bound: float) -> None:
        """Report the state of the search to `progress`."""
        if self.progress is not None and self.progress(SoFar(self.spent(), placed, diversity, bound)):
            self.enough = True


def budget(people: int, steps: int | None, seconds: float | None, progress: Progress | None) -> Budget:
    """The given limits; without any, a number of steps that suits the number of people."""
    if steps is None and seconds is None:
        steps = STEPS * max(1, people)
    return Budget(steps, seconds, progress)
