"""Read model of what became of people: who has left, and for which moments their situation is known."""

from typing import Any

from services.contracts import Event
from services.contracts.enrolment import (
    Step,
    StepRedated,
    WorkerAdmitted,
    WorkerMerged,
    WorkerReturned,
    WorkerWithdrawn,
)
from services.contracts.paths import OutcomeMoment, OutcomeRecorded
from services.events.delivery.declare import Projection, Rows, on


class Exits(Projection):
    """One row per worker. `exit` and `six`: the day of the situation that was recorded last for this moment; `left`: as it was said then.
    The situation itself is in no row: a list needs no more than that it is there."""

    name = "exits"
    indexes = (("exit", "withdrawn"), ("six", "left"))

    @on(WorkerAdmitted)
    def admitted(self, event: Event[WorkerAdmitted], rows: Rows) -> None:
        """Set that they took part: of whoever did not, nothing is asked."""
        rows.set(event.subject, person=event.subject, worker=event.subject, admitted=event.time)

    @on(WorkerWithdrawn)
    def withdrawn(self, event: Event[WorkerWithdrawn], rows: Rows) -> None:
        """Set when they left."""
        rows.set(event.subject, person=event.subject, worker=event.subject, withdrawn=event.time)

    @on(StepRedated)
    def redated(self, event: Event[StepRedated], rows: Rows) -> None:
        """Replace the day of the admission or of the leaving, when it was wrong."""
        if event.data.step in {Step.ADMITTED, Step.WITHDRAWN}:
            rows.set(event.subject, person=event.subject, **{event.data.step.value: event.time})

    @on(WorkerReturned, WorkerMerged)
    def open_again(self, event: Event[Any], rows: Rows) -> None:
        """Empty what was said of the leaving: they are back, or their record has ended in another one."""
        rows.set(event.subject, person=event.subject, admitted=None, withdrawn=None)

    @on(OutcomeRecorded)
    def recorded(self, event: Event[OutcomeRecorded], rows: Rows) -> None:
        """Set for which moment their situation is known."""
        worker, told = event.data.worker, event.data
        which = "exit" if told.moment is OutcomeMoment.EXIT else "six"
        rows.set(worker, person=worker, worker=worker, left=told.left, **{which: told.day})
