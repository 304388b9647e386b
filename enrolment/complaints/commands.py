"""Commands on complaints, each beside its one handler.

Invariant: a text is sealed before it is stored: that of a worker under their key, that of a partner under a key of the complaint's own.
"""

from datetime import timedelta

from enrolment.domain import Complaint, Status, Worker
from services.contracts.base import Id, Slug
from services.contracts.paths import Complainant
from services.kernel import Command, Refusal, Refused, new_id
from services.store.work import Work

MOST_OPEN = 5  # complaints without an answer, of one who complains
ABOUT, REPLY = "complaint", "reply"  # names of the sealed fields


class Complain(Command):
    """A worker, or a partner, complains."""

    text: str
    worker: Id | None = None
    partner: Slug | None = None


async def complain(command: Complain, work: Work) -> dict[str, str]:
    """Take the complaint, with the last day for its answer. Refused: no-such-worker, no-such-partner, too-many-open, erased."""
    if command.worker is not None:
        worker = await work.get(Worker, command.worker)
        if worker.status is Status.ERASED:
            raise Refused("erased", f"Person {worker.id} was erased.", Refusal.GONE)
        earlier = await work.where(Complaint, worker=worker.id)
    else:
        if command.partner is None or work.rules.partner(command.partner) is None:
            raise Refused("no-such-partner", f"{command.partner} is no partner of {work.programme}.", Refusal.INVALID)
        earlier = await work.where(Complaint, partner=command.partner)
    if sum(each.is_open for each in earlier) >= MOST_OPEN:
        raise Refused("too-many-open", f"{MOST_OPEN} complaints wait for their answer already.")
    complaint = await _received(command, work)
    complaint.keep(await work.seal(complaint.sealed_for, f"{ABOUT}/{complaint.id}", command.text))
    return {"complaint": complaint.id}


async def _received(command: Complain, work: Work) -> Complaint:
    by = Complainant.WORKER if command.worker is not None else Complainant.PARTNER
    due = work.rules.day_of(work.at) + timedelta(days=work.rules.complaint_days)
    complaint = Complaint.receive(new_id(), by, due, work.at, worker=command.worker, partner=command.partner)
    work.add(complaint)
    if by is Complainant.PARTNER:
        await work.new_key(complaint)
    return complaint


class Escalate(Command):
    """A complaint is handed to those who are responsible for the programme."""

    complaint: Id


async def escalate(command: Escalate, work: Work) -> None:
    """Hand it on. Refused: no-such-complaint, complaint-answered, escalated-already."""
    (await work.get(Complaint, command.complaint)).escalate(work.at)


class AnswerComplaint(Command):
    """A complaint is answered."""

    complaint: Id
    text: str


async def answer_complaint(command: AnswerComplaint, work: Work) -> None:
    """Answer it, once. Refused: no-such-complaint, complaint-answered, complainant-erased."""
    complaint = await work.get(Complaint, command.complaint)
    if complaint.is_forgotten:
        raise Refused("complainant-erased", f"Whoever made complaint {complaint.id} was erased.", Refusal.GONE)
    sealed = await work.seal(complaint.sealed_for, f"{REPLY}/{complaint.id}", command.text)
    complaint.take_reply(sealed, work.at)
