"""How long a search may take: so many steps, so many seconds, or until somebody says that it is enough.

Invariant: without a limit in seconds the steps alone decide, so that the same seed and steps give the same answer anywhere.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

STEPS = 20_000  # of the annealing for each person when nothing is said


@dataclass(frozen=True)
class SoFar:
    """What a search has: the people placed, their diversity and how high it could be, after so many seconds.

    While a timetable is looked for, who sits with whom is still open: diversity and bound are 0 then.
    """

    seconds: float
    placed: int
    diversity: float
    bound: float

    @property
    def gap(self) -> float:
        """How far below the bound, as a share of it."""
        return 1 - self.diversity / self.bound if self.bound else 0.0


Progress = Callable[[SoFar], bool | None]  # True: it is enough


@dataclass
class Budget:
    """Steps and seconds that are left."""

    steps: int | None
    seconds: float | None
    progress: Progress | None = None
    done: int = 0
    enough: bool = False
    began: float = field(default_factory=time.perf_counter)

    def spent(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self.began

    def part(self) -> float:
        """How much of it is spent, 0 to 1, by whichever limit is nearer."""
        if self.enough:
            return 1.0
        by_steps = self.done / self.steps if self.steps else 0.0
        by_time = self.spent() / self.seconds if self.seconds else 0.0
        return min(1.0, max(by_steps, by_time))

    def tell(self, placed: int, diversity: float, bound: float) -> None:
        """Say how far the search is."""
        if self.progress is not None and self.progress(SoFar(self.spent(), placed, diversity, bound)):
            self.enough = True


def budget(people: int, steps: int | None, seconds: float | None, progress: Progress | None) -> Budget:
    """The limits that were given; a number of steps that suits the number of people when none was."""
    if steps is None and seconds is None:
        steps = STEPS * max(1, people)
    return Budget(steps, seconds, progress)
