"""The lists of people who need something today, as filters of the read model of their steps.

Invariant: nobody is in two lists. Each list is read by an index that holds exactly its people, in its order, so that it costs the same
however large the programme is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from services.programmes import Programme

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)  # before every step: the index then passes over whoever lacks it
LATE = 14  # days within which somebody who was referred should have an answer
OPEN: Mapping[str, Any] = {"admitted": None, "declined": None, "withdrawn": None}


class List(StrEnum):
    """A list by the word of its address, what is due first on top."""

    UNANSWERED = "senza-risposta"
    INTERVIEW = "da-incontrare"
    CONSENT = "senza-consenso"
    PROFILE = "senza-profilo"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filter of one list, its order, and the field that says since when somebody is in it."""

    where: Mapping[str, Any]
    order: tuple[str, ...]
    since: str


def wanted(rules: Programme, now: datetime) -> dict[List, Wanted]:
    """The filters of all lists at this moment. A referral is late after so many days of the programme's calendar."""
    limit = datetime.combine(rules.day_of(now) - timedelta(days=LATE), time(), rules.zone)
    fresh = {"$gte": limit}
    return {
        List.UNANSWERED: Wanted({**OPEN, "referred": {"$lt": limit}}, ("referred", "worker"), "referred"),
        List.INTERVIEW: Wanted({**OPEN, "participation": True, "referred": fresh}, ("referred", "worker"), "referred"),
        List.CONSENT: Wanted(
            {**OPEN, "participation": {"$in": [None, False]}, "referred": fresh}, ("referred", "worker"), "referred"
        ),
        # Grouping lists a person who is admitted and described. Whoever sat or left needs no profile any more.
        List.PROFILE: Wanted(
            {"waiting": None, "seated": None, "withdrawn": None, "admitted": {"$gt": EARLIEST}},
            ("admitted", "worker"),
            "admitted",
        ),
    }
