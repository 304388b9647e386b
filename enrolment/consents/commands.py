"""The command by which a referrer records what a person said or signed at their desk.

Invariant: it decides anew whose referral it is; the record says who wrote it down and how the consent was given.
"""

from datetime import date

from enrolment.commands import DecideConsent, decide_consent
from enrolment.domain import Worker
from services.contracts.base import Slug
from services.kernel import Refusal, Refused
from services.store.work import Work


class RecordConsent(DecideConsent):
    """A person decided on consents at the desk of this partner, on this local day (None: today)."""

    partner: Slug
    on: date | None = None


async def record_consent(command: RecordConsent, work: Work) -> None:
    """Record the decisions. Refused: no-such-worker, in-the-future, as `decide_consent`."""
    worker = await work.get(Worker, command.worker)
    if not worker.is_referral_of(command.partner):
        raise Refused("no-such-worker", f"{command.partner} has referred no worker {worker.id}.", Refusal.NOT_FOUND)
    if command.on is not None and command.on > work.rules.day_of(work.now):
        raise Refused("in-the-future", f"{command.on} has not come yet.", Refusal.INVALID)
    await decide_consent(command, work)
