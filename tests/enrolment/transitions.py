"""The one table of the steps of a worker: from which status each leads where, and by which refusal it is barred otherwise.

Every level is tried by it: the rule, the command, the route and the page.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from enrolment import commands as do
from enrolment.domain import ENDED, ENROLLED, OPEN, Status, Worker
from services.contracts.enrolment import Contacting, Declining, Leaving
from tests.enrolment.workers import AT, LATER

SAME: Mapping[Status, Status] = {each: each for each in OPEN}


@dataclass(frozen=True, slots=True)
class Transition:
    """One step. `leads`: the status after, by the status before; in any other the refusal is `barred`. `page`: the last part of the
    address, and what is typed; `at`: without a day, since the steps before it were taken today."""

    leads: Mapping[Status, Status]
    barred: str
    rule: Callable[[Worker], Any]
    handler: Callable[..., Any]
    command: type
    route: tuple[str, str]
    page: str
    more: Mapping[str, Any] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)
    final: Mapping[Status, str] = field(default_factory=dict)

    def outcome(self, before: Status) -> Status | str:
        """The status after, or the code of the refusal."""
        return self.leads.get(before) or self.final.get(before, self.barred)


TABLE: Mapping[str, Transition] = {
    "is reached": Transition(
        {**SAME, Status.REFERRED: Status.CONTACTED},
        "not-referred",
        lambda worker: worker.try_contact(Contacting.PHONE, True, AT),
        do.try_contact,
        do.TryContact,
        ("POST", "contacts"),
        "contatto",
        {"how": "phone", "reached": True},
        {"how": "phone", "reached": "yes"},
    ),
    "is not reached": Transition(
        SAME,
        "not-referred",
        lambda worker: worker.try_contact(Contacting.MESSAGE, False, AT),
        do.try_contact,
        do.TryContact,
        ("POST", "contacts"),
        "contatto",
        {"how": "message", "reached": False},
        {"how": "message", "reached": "no"},
    ),
    "has an interview booked": Transition(
        dict.fromkeys(OPEN, Status.BOOKED),
        "not-referred",
        lambda worker: worker.book(LATER, None, AT),
        do.book,
        do.Book,
        ("PUT", "interview"),
        "appuntamento",
        {"when": "2026-12-20T10:00:00+01:00"},
        {"date": "20/12/2026", "hour": "10:00"},
    ),
    "has the interview": Transition(
        dict.fromkeys(OPEN, Status.INTERVIEWED),
        "not-referred",
        lambda worker: worker.hold(AT),
        do.hold,
        do.Hold,
        ("POST", "interview"),
        "svolto",
    ),
    "is admitted": Transition(
        dict.fromkeys(OPEN, Status.ADMITTED),
        "not-referred",
        lambda worker: worker.admit(AT),
        do.admit,
        do.Admit,
        ("POST", "admission"),
        "ammissione",
    ),
    "is declined": Transition(
        dict.fromkeys(OPEN, Status.DECLINED),
        "not-referred",
        lambda worker: worker.decline(AT, Declining.NO_TIME),
        do.decline,
        do.Decline,
        ("POST", "refusal"),
        "rifiuto",
        {"reason": "no-time"},
        {"reason": "no-time"},
    ),
    "leaves": Transition(
        dict.fromkeys(ENROLLED, Status.WITHDRAWN),
        "not-enrolled",
        lambda worker: worker.withdraw(Leaving.NO_TIME, AT),
        do.withdraw,
        do.Withdraw,
        ("POST", "withdrawal"),
        "uscita",
        {"reason": "no-time"},
        {"reason": "no-time"},
    ),
    "comes back": Transition(
        dict.fromkeys(ENDED, Status.REFERRED),
        "not-ended",
        lambda worker: worker.come_back(AT),
        do.come_back,
        do.ComeBack,
        ("POST", "return"),
        "rientro",
        final={Status.MERGED: "merged", Status.ERASED: "erased"},
    ),
}
