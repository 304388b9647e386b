"""The command that records the situation of somebody after the programme."""

from datetime import date

from enrolment.domain import Outcome, Status, Worker
from services.contracts.base import Id
from services.contracts.paths import OutcomeMoment, Situation
from services.kernel import Command, Refusal, Refused
from services.store.work import Work


class RecordOutcome(Command):
    """The situation of a worker on a day; they left on the day `left`."""

    worker: Id
    moment: OutcomeMoment
    situation: Situation
    day: date
    left: date


async def record_outcome(command: RecordOutcome, work: Work) -> None:
    """Record it. Refused: no-such-worker, never-admitted, erased, out-of-order, same-outcome."""
    worker = await work.get(Worker, command.worker)
    if worker.status is Status.ERASED:
        raise Refused("erased", f"Person {worker.id} was erased.", Refusal.GONE)
    if worker.admitted is None:
        raise Refused("never-admitted", f"Worker {worker.id} has not taken part.")
    work.follow(worker.trace)
    if command.left < work.rules.day_of(worker.admitted):
        raise Refused("out-of-order", f"Worker {worker.id} cannot have left before the admission.")
    id = Outcome.id_of(worker.id, command.moment)
    outcome = await work.find(Outcome, id)
    if outcome is None:
        outcome = Outcome.of(worker.id, command.moment)
        work.add(outcome)
    outcome.record(command.situation, command.day, command.left, work.rules.day_of(work.now))
