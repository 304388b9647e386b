"""Totals of scores that lie near the end of what they could be, and so tell the scores: ten people with the mean 5 of 5 all answered 5.

Invariant: a sum or difference of totals, with whole factors up to FACTOR, lies RANGES ranges of the scale or more from both ends. So each
of those people could still have any score, also for two others of them who tell each other theirs.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import product

import numpy as np

from analytics.telling import Contributors

RANGES = 3
FACTOR = 2  # exact for three totals, whose combinations that tell most have the factors -1, 0 and 1
ROUNDING = 1e-9  # of a range; sums of means are no exact numbers
Total = tuple[Contributors, float]  # the people, and the sum of their scores


def near_an_end(totals: Sequence[Total], low: float, high: float) -> bool:
    """Tell whether a combination of these totals lies near an end. `low`, `high`: the least and the greatest score."""
    kinds = Counter(_places([people for people, _ in totals]))
    if not kinds:
        return False
    # On a scale from 0 to 1, where a person adds their part of a combination at most.
    sums = np.array([(total - low * len(people)) / (high - low) for people, total in totals])
    factors = np.array(list(product(range(-FACTOR, FACTOR + 1), repeat=len(totals))))
    parts = factors @ np.array(list(kinds)).T
    least = np.minimum(parts, 0) @ np.array(list(kinds.values()))
    largest = np.abs(parts).max(axis=1)
    # The other end is that of the same combination with the opposite signs.
    near = factors @ sums - least < RANGES * largest - ROUNDING
    return bool((near & (largest > 0)).any())


def _places(totals: Sequence[Contributors]) -> list[tuple[int, ...]]:
    """Return for each score of each person the totals that hold it."""
    held: dict[tuple[bytes, bytes], list[int]] = {}
    for place, total in enumerate(totals):
        for scored in total.items():
            held.setdefault(scored, [0] * len(totals))[place] = 1
    return [tuple(each) for each in held.values()]
