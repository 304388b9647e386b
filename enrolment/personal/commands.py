"""Personal links: issued, revoked, and used once to confirm a step that cannot be undone.

Invariant: a token is in one event for its worker and nowhere else; no answer and no document has it.
"""

import secrets

from enrolment.commands import DecideConsent, Erase, decide_consent, erase
from enrolment.domain import Status, Worker
from services.contracts.base import Id
from services.contracts.enrolment import How, Leaving, LinkPurpose, Purpose
from services.contracts.rights import Opening, RecordOpened
from services.kernel import Command, Refusal, Refused
from services.store.work import Work

TOKEN = 32  # bytes


class IssueLink(Command):
    """A worker is to get a personal link."""

    worker: Id
    purpose: LinkPurpose = LinkPurpose.ME


async def issue_link(command: IssueLink, work: Work) -> dict[str, str]:
    """Issue the link; notifications sends it. Refused: no-such-worker, erased, no-address, no-contact, and for a confirmation
    not-enrolled, link-sent."""
    worker = await work.get(Worker, command.worker)
    work.follow(worker.trace)
    # A refusal tells whether there is an address, and whether the person wants messages.
    work.reads_for("link")
    work.note_access(worker.id)
    expires = worker.link(command.purpose, secrets.token_urlsafe(TOKEN), work.now)
    return {"worker": worker.id, "expires": expires.isoformat()}


class RevokeLink(Command):
    """The personal link of a worker has come into other hands, or is not wanted any more."""

    worker: Id
    purpose: LinkPurpose = LinkPurpose.ME


async def revoke_link(command: RevokeLink, work: Work) -> None:
    """Let the link open nothing any more. Without one, nothing changes. Refused: no-such-worker."""
    worker = await work.get(Worker, command.worker)
    work.follow(worker.trace)
    worker.unlink(command.purpose)


class ConfirmLeaving(Command):
    """A worker leaves the programme by the link of a message."""

    worker: Id
    token: str
    reason: Leaving


async def confirm_leaving(command: ConfirmLeaving, work: Work) -> None:
    """Withdraw the worker; that ends the link. Who does not want their data used any more withdraws the consent as well. Refused:
    no-such-link, not-enrolled."""
    worker = await _opened(command.worker, command.token, LinkPurpose.LEAVE, work)
    worker.withdraw(command.reason, work.at)
    counts = worker.consents.get(Purpose.PARTICIPATION)
    if command.reason is Leaving.CONSENT_WITHDRAWN and counts is not None and counts.given:
        decision = DecideConsent(
            worker=worker.id,
            given={Purpose.PARTICIPATION: False},
            notice=counts.notice,
            language=counts.language,
            how=How.BY_LINK,
        )
        await decide_consent(decision, work)


class ConfirmErasure(Command):
    """A worker erases themself by the link of a message."""

    worker: Id
    token: str


async def confirm_erasure(command: ConfirmErasure, work: Work) -> dict[str, str]:
    """Erase the worker, and the link with everything else. Gives the number of the receipt. Refused: no-such-link."""
    worker = await _opened(command.worker, command.token, LinkPurpose.ERASE, work)
    return await erase(Erase(worker=worker.id), work)


class OpenRecord(Command):
    """An administrator opens the record of a person, for a reason that the person is told."""

    worker: Id
    reason: Opening


async def open_record(command: OpenRecord, work: Work) -> None:
    """Note the opening in the person's log, with its reason, and have the person told. Refused: no-such-worker, erased."""
    worker = await work.get(Worker, command.worker)
    work.follow(worker.trace)
    if worker.status is Status.ERASED:
        raise Refused("erased", f"Person {worker.id} was erased.", Refusal.GONE)
    work.reads_for(f"opened {command.reason}")
    work.note_access(worker.id)
    worker.says(RecordOpened(reason=command.reason), work.now)


async def _opened(id: str, token: str, purpose: LinkPurpose, work: Work) -> Worker:
    """The worker whose link of this purpose the token opens now. Refused("no-such-link", 404): the same whatever is wrong with it."""
    worker = await work.find(Worker, id)
    if worker is None or worker.opened_by(token, work.now) is not purpose:
        raise Refused("no-such-link", "This link is not valid any more.", Refusal.NOT_FOUND)
    work.follow(worker.trace)
    return worker
