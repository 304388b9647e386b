"""Result indicators of the ESF+ for people (Regulation (EU) 2021/1057, annex I): pure functions.

Rules: of several situations within 28 days after leaving, the last one counts; one participation counts for EECR01 or for EECR04, never for
both, since who works does not look for work; EECR01 is for people who looked for no work on entry, EECR02 for those who were not in
training, EECR04 and EECR05 for those who did not work. A situation of which nobody spoke counts for nothing.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from services.contracts.paths import OutcomeMoment, Situation

UPON_LEAVING = timedelta(days=28)
WORKS = frozenset({Situation.EMPLOYED, Situation.SELF_EMPLOYED})


class Result(StrEnum):
    """A common result indicator."""

    JOB_SEARCH = "EECR01"
    TRAINING = "EECR02"
    EMPLOYED = "EECR04"
    EMPLOYED_AFTER_SIX_MONTHS = "EECR05"


class Told(NamedTuple):
    """A situation, the moment for which it was told, and its day."""

    moment: OutcomeMoment
    situation: Situation
    day: date


def upon_leaving(told: Iterable[Told], left: date) -> Situation | None:
    """The situation that counts upon leaving: the last one from the day of leaving to 28 days after it. None when there is none."""
    counts = (each for each in told if each.moment is OutcomeMoment.EXIT and left <= each.day <= left + UPON_LEAVING)
    last = max(counts, key=lambda each: each.day, default=None)
    return last.situation if last is not None and last.situation is not Situation.UNKNOWN else None


def after_six_months(told: Iterable[Told]) -> Situation | None:
    """The situation that counts six months after leaving: the last one that was told for it. None when there is none."""
    last = max(
        (each for each in told if each.moment is OutcomeMoment.SIX_MONTHS), key=lambda each: each.day, default=None
    )
    return last.situation if last is not None and last.situation is not Situation.UNKNOWN else None


def results(entry: Situation, told: Iterable[Told], left: date) -> frozenset[Result]:
    """The indicators for which one participation counts. `entry`: the situation when it began."""
    said = list(told)
    leaving, later = upon_leaving(said, left), after_six_months(said)
    found = set[Result]()
    if entry is Situation.INACTIVE and leaving is Situation.SEARCHING:
        found.add(Result.JOB_SEARCH)
    if entry is not Situation.TRAINING and leaving is Situation.TRAINING:
        found.add(Result.TRAINING)
    if entry not in WORKS and leaving in WORKS:
        found.add(Result.EMPLOYED)
    if entry not in WORKS and later in WORKS:
        found.add(Result.EMPLOYED_AFTER_SIX_MONTHS)
    return frozenset(found)
