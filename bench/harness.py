"""Figures and their goals, a clock, and pairs of measurements taken in turn.

Invariant: a ratio is of two measurements taken one right after the other, in alternating order. The pair with the median ratio is
reported. So a machine that is busy with something else for a while spoils a pair and not the figure.
"""

import math
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar

T = TypeVar("T")
Better = Literal["higher", "lower"]
Measure: TypeAlias = Callable[[], Awaitable[T]]
Note = Callable[[str], None]


class Goal(NamedTuple):
    """The goal of a ratio."""

    goal: float
    better: Better
    unit: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `ratio` is `value` over `floor`, both in `unit`, and is compared with `goal`."""

    name: str
    value: float
    floor: float
    goal: float
    better: Better
    unit: str

    @property
    def ratio(self) -> float:
        """The value over the floor."""
        return self.value / self.floor

    @property
    def reached(self) -> bool:
        """True when the ratio meets the goal."""
        return self.ratio >= self.goal if self.better == "higher" else self.ratio <= self.goal

    def document(self) -> dict[str, Any]:
        """The figure as written to JSON: the ratio to four digits, of unrounded values."""
        return {
            "name": self.name,
            "value": round(self.value, 2),
            "floor": round(self.floor, 2),
            "ratio": round(self.ratio, 4),
            "goal": self.goal,
            "better": self.better,
            "unit": self.unit,
        }


def figure(name: str, goal: Goal, value: float, floor: float) -> Figure:
    return Figure(name, value, floor, goal.goal, goal.better, goal.unit)


class Clock:
    """Counts finished work. The rate runs from the first count to the last, so that the start is no part of it."""

    def __init__(self) -> None:
        self._moments: list[tuple[float, int]] = []

    def tick(self, number: int) -> None:
        """Count `number` finished since the last tick."""
        self._moments.append((time.perf_counter(), number))

    @property
    def total(self) -> int:
        """The number finished in all."""
        return sum(number for _, number in self._moments)

    @property
    def rate(self) -> float:
        """Finished per second after the first tick. ValueError when there was no second one."""
        if len(self._moments) < 2:
            raise ValueError("too little was done for a rate: take more events")
        (began, first), (ended, _) = self._moments[0], self._moments[-1]
        return (self.total - first) / (ended - began)


async def in_turn(ours: Measure[T], floor: Measure[T], rounds: int, note: Note) -> list[tuple[T, T]]:
    """Measure ours and the floor in turn (A B, B A, A B …), `rounds` times."""
    found: list[tuple[T, T]] = []
    for number in range(rounds):
        if number % 2:
            bare = await floor()
            found.append((await ours(), bare))
        else:
            value = await ours()
            found.append((value, await floor()))
        note(f"{number + 1} of {rounds}: {_shown(found[-1][0])} against {_shown(found[-1][1])}")
    return found


def _shown(measured: object) -> str:
    return f"{measured:,.1f}" if isinstance(measured, float) else str(measured)


def middle(found: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The pair whose ratio is the median."""
    return sorted(found, key=lambda pair: pair[0] / pair[1])[(len(found) - 1) // 2]


async def pairs(ours: Measure[float], floor: Measure[float], rounds: int, note: Note) -> tuple[float, float]:
    """The middle one of `rounds` pairs, measured in turn."""
    return middle(await in_turn(ours, floor, rounds, note))


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that at least this share (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
