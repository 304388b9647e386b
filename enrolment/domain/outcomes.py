"""Situations of people after the programme: when they left, and six months later.

Invariants: nothing is recorded of a day before the one on which the person left; a situation at the exit is of the 28 days after it, and
one of six months later is not of an earlier day than five months after it. Of several for one day the last one counts.
"""

from datetime import date, timedelta
from typing import ClassVar

from pydantic import BaseModel

from services.contracts.paths import OutcomeMoment, OutcomeRecorded, Situation
from services.kernel import Aggregate, Refused, applies, in_order, in_time

UPON_LEAVING = timedelta(days=28)  # in which the ESF+ looks for the situation upon leaving
SIX_MONTHS = timedelta(days=182)
EARLIEST = timedelta(days=150)  # after the exit, of a situation that counts as six months later
DUE = timedelta(days=14)  # before six months are over, the question is on the list


class Told(BaseModel):
    """One situation, and the day for which it was told."""

    situation: Situation
    day: date


class Outcome(Aggregate):
    """The situations of one worker at one moment. Its id is made of both, so that there is one."""

    noun: ClassVar[str] = "outcome"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("worker",),)
    worker: str
    moment: OutcomeMoment
    told: tuple[Told, ...] = ()

    @classmethod
    def id_of(cls, worker: str, moment: OutcomeMoment) -> str:
        """The id; a point separates, which no id of a worker has."""
        return f"{worker}.{moment}"

    @classmethod
    def of(cls, worker: str, moment: OutcomeMoment) -> "Outcome":
        """Nothing is known yet."""
        return cls(id=cls.id_of(worker, moment), worker=worker, moment=moment)

    def record(self, situation: Situation, day: date, left: date | None, today: date) -> None:
        """Record a situation. `left`: the day on which the person left, None while they have not. Refused: still-there, out-of-order,
        same-outcome."""
        if left is None:
            raise Refused("still-there", f"Worker {self.worker} has not left.")
        in_time("The situation", day, "today", today)
        if self.moment is OutcomeMoment.EXIT:
            in_order("The situation", day, "the exit", left)
            in_time("The situation", day, "28 days after the exit", left + UPON_LEAVING)
        else:
            in_order("The situation", day, "five months after the exit", left + EARLIEST)
        if Told(situation=situation, day=day) in self.told:
            raise Refused("same-outcome", f"This situation of worker {self.worker} is recorded already.")
        self.says(OutcomeRecorded(worker=self.worker, moment=self.moment, situation=situation, day=day))

    @property
    def last(self) -> Told | None:
        """The situation that counts: the one of the latest day."""
        return max(self.told, key=lambda each: each.day, default=None)

    @applies(OutcomeRecorded)
    def _recorded(self, event: OutcomeRecorded) -> None:
        others = (each for each in self.told if each.day != event.day)
        self.told = (*others, Told(situation=event.situation, day=event.day))
