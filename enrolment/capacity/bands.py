"""Bands of the places that are free and of the usual wait.

Invariants: no exact number is told, since two of them would show that somebody left. A band is judged once on each local day, so that no
single leaving is seen when it happens. A wait is told from ten people on.
"""

from collections.abc import Sequence
from enum import StrEnum
from statistics import median

from pydantic import BaseModel

ENOUGH = 10  # people by whom a usual wait is told
WEEK = 7  # days


class Places(StrEnum):
    """Places now: none, at most as many as one group has, or more."""

    NONE = "none"
    FEW = "few"
    SOME = "some"


class Wait(StrEnum):
    """The usual wait from the referral to the seat, in weeks."""

    UP_TO_4 = "up-to-4"
    UP_TO_8 = "up-to-8"
    UP_TO_12 = "up-to-12"
    LONGER = "longer"


class Capacity(BaseModel):
    """The bands of one day. `weeks` is null while fewer than ten people have waited."""

    places: Places
    weeks: Wait | None = None


def places_of(free: int, group: int) -> Places:
    """The band of so many free places; `group`: the most members of one group."""
    if free <= 0:
        return Places.NONE
    return Places.FEW if free <= group else Places.SOME


def wait_of(days: Sequence[int]) -> Wait | None:
    """The band of the median of these waits, in days."""
    if len(days) < ENOUGH:
        return None
    weeks = median(days) / WEEK
    bounds = ((4, Wait.UP_TO_4), (8, Wait.UP_TO_8), (12, Wait.UP_TO_12))
    return next((band for most, band in bounds if weeks <= most), Wait.LONGER)


def granted(target: int | None, open_: int, concluded: int) -> int:
    """The groups for which there is room: those that the programme grants and that have not ended, and never fewer than meet. Without a
    number in the programme, one more than meet."""
    return max(open_, target - concluded) if target is not None else open_ + 1
