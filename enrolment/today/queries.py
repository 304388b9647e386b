"""The lists of people who need something today, as filters of the read model of their steps.

Invariant: nobody is in two lists. Each list is read by an index that holds exactly its people, in its order, so that it costs the same
however large the programme is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from services.programmes import Programme

BOOKED = {"stage": "interview-booked"}  # everybody with an interview to come, or past without a result
LATE = 14  # days within which somebody who was referred should have an answer


class List(StrEnum):
    """A list by the word of its address, what is due first on top."""

    INTERVIEW = "colloqui-di-oggi"
    UNANSWERED = "senza-risposta"
    CONTACT = "da-contattare"
    BOOK = "senza-data"
    CONSENT = "senza-consenso"
    DECIDE = "da-decidere"
    PROFILE = "senza-profilo"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filter of one list, its order, and the field that says since when somebody is in it."""

    where: Mapping[str, Any]
    order: tuple[str, ...]
    since: str


def wanted(rules: Programme, now: datetime) -> dict[List, Wanted]:
    """The filters of all lists at this moment. A referral is late after so many days of the programme's calendar; whoever has an interview
    to come is in no list before its day."""
    today = rules.day_of(now)
    limit, tomorrow = _start(today - timedelta(days=LATE), rules), _start(today + timedelta(days=1), rules)
    fresh, order = {"$gte": limit}, ("asked", "worker")
    open_ = {"$in": ["referred", "contacted", "interviewed"]}
    return {
        List.INTERVIEW: Wanted(
            {"stage": "interview-booked", "interview": {"$lt": tomorrow}}, ("interview", "worker"), "interview"
        ),
        List.UNANSWERED: Wanted({"stage": open_, "asked": {"$lt": limit}}, order, "asked"),
        List.CONTACT: Wanted({"stage": "referred", "asked": fresh}, order, "asked"),
        List.BOOK: Wanted({"stage": "contacted", "asked": fresh}, order, "asked"),
        List.CONSENT: Wanted(
            {"stage": "interviewed", "participation": {"$in": [None, False]}, "asked": fresh}, order, "asked"
        ),
        List.DECIDE: Wanted({"stage": "interviewed", "participation": True, "asked": fresh}, order, "asked"),
        # Grouping lists a person who is admitted and described. Whoever sat or left needs no profile any more.
        List.PROFILE: Wanted(
            {"stage": "admitted", "waiting": None, "seated": None}, ("admitted", "worker"), "admitted"
        ),
    }


def _start(day: date, rules: Programme) -> datetime:
    return datetime.combine(day, time(), rules.zone)
