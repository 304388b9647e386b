"""Reads of the agenda: the booked interviews of a page, with names. Each person who is shown gets a note in their log of accesses.

Invariant: the order comes from the read model, and hour and place from the record itself, which knows of a move first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any

from enrolment.domain import Status, Worker
from enrolment.queries import name_of
from services.programmes import Programme
from services.store.work import Work

AGENDA = "agenda"  # purpose in the log of accesses
STAGE = "interview-booked"  # of the read model: an interview is booked, and has no result
ORDER = ("interview", "worker")


class View(StrEnum):
    """A part of the agenda by the word of its address."""

    COMING = "prossimi"
    PAST = "senza-esito"


@dataclass(frozen=True, slots=True)
class Booked:
    """A booked interview. `name` is empty when the card was lost with a database; `place`: None, at the office of the programme."""

    worker: str
    name: str
    when: datetime
    place: str | None


@dataclass(frozen=True, slots=True)
class Day:
    """The interviews of one day, by hour."""

    day: date
    interviews: list[Booked]


def filters(rules: Programme, now: datetime) -> dict[View, Mapping[str, Any]]:
    """The filter of each part: from today's midnight on, and before it."""
    midnight = datetime.combine(rules.day_of(now), time(), rules.zone)
    return {
        View.COMING: {"stage": STAGE, "interview": {"$gte": midnight}},
        View.PAST: {"stage": STAGE, "interview": {"$lt": midnight}},
    }


async def read_booked(work: Work, people: Sequence[str]) -> list[Booked]:
    """The interviews of these people, by hour; without those that were held or ended meanwhile. Three statements, however many they are."""
    work.reads_for(AGENDA)
    found = [each for each in await work.peek_all(Worker, people) if each.status is Status.BOOKED and each.interview]
    await work.open_keys([each.id for each in found])
    booked = [await _booked(each, work) for each in found]
    return sorted(booked, key=lambda each: (each.when, each.name))


async def _booked(worker: Worker, work: Work) -> Booked:
    assert worker.interview is not None  # the caller has left out the others
    return Booked(worker.id, await name_of(worker, work), worker.interview.when, worker.interview.place)


def by_day(booked: Sequence[Booked], rules: Programme) -> list[Day]:
    """The interviews in days of the programme, in their order."""
    days = groupby(booked, key=lambda each: rules.day_of(each.when))
    return [Day(day, list(interviews)) for day, interviews in days]


def from_today(days: Sequence[Day], today: date) -> list[Day]:
    """The days with today in front, also without an interview: that nobody comes is an answer."""
    return [*days] if days and days[0].day <= today else [Day(today, []), *days]


def tomorrow(today: date) -> date:
    """The day after, which has a word of its own."""
    return today + timedelta(days=1)
