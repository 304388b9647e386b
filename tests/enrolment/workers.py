"""Workers in every status, and commands on them, for tests of the rules: no engine, no clock, no cipher."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from enrolment.domain import Status, Worker
from services.contracts.enrolment import Contacting, Leaving, Purpose, WorkerProfiled

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CARD = {"given_name": "sealed Ada", "family_name": "sealed Prova"}
PROFILE = WorkerProfiled(municipality="monza", travel_km=15, slots=("monday",))
LATER = AT + timedelta(days=2)
COMMANDS: dict[str, Callable[[Worker], None]] = {
    "consent to take part": lambda worker: decide(worker, Purpose.PARTICIPATION, True),
    "withdraw consent to take part": lambda worker: decide(worker, Purpose.PARTICIPATION, False),
    "withdraw consent to research": lambda worker: decide(worker, Purpose.RESEARCH, False),
    "fill in": lambda worker: worker.fill_in(CARD),
    "describe": lambda worker: worker.describe(PROFILE, sealed(worker.id, "profile", PROFILE.model_dump_json())),
    "erase": Worker.erase,
}


def sealed(person: str, field: str, text: str) -> str:
    """A stand-in for a sealed field, the same each time."""
    return f"{person}/{field}: {text}"


def decide(worker: Worker, purpose: Purpose, given: bool, at: datetime = AT, notice: str = "2026-09") -> None:
    """Decide on one purpose."""
    worker.consent(purpose, given, notice, "it", at)


def referred() -> Worker:
    """A worker whom a partner just referred."""
    return Worker.refer("w1", "cisl", AT, TRACE)


def in_status(status: Status, id: str = "w1") -> Worker:
    """A worker who consented to take part and reached this status, with no event left to record."""
    worker = Worker.refer(id, "cisl", AT, TRACE)
    worker.fill_in(CARD)
    decide(worker, Purpose.PARTICIPATION, True)
    REACH[status](worker)
    worker._events.clear()
    return worker


def erased(worker: Worker) -> None:
    worker.erase()
    worker.erased = AT


REACH: dict[Status, Callable[[Worker], object]] = {
    Status.REFERRED: lambda _: None,
    Status.CONTACTED: lambda worker: worker.try_contact(Contacting.PHONE, True, AT),
    Status.BOOKED: lambda worker: worker.book(LATER, None, AT),
    Status.INTERVIEWED: lambda worker: worker.hold(AT),
    Status.ADMITTED: lambda worker: worker.admit(AT),
    Status.DECLINED: lambda worker: worker.decline(AT),
    Status.WITHDRAWN: lambda worker: worker.withdraw(Leaving.OTHER, AT),
    Status.MERGED: lambda worker: worker.end_in(Worker.refer("w9", "cgil", AT)),
    Status.ERASED: erased,
}


def recorded(worker: Worker) -> list[Any]:
    """The payloads of the events that the worker recorded, in order."""
    return [each.data for each in worker._events]
