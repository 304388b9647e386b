"""The read before a referrer records a consent: whether the person is theirs, and the name to recognise them by."""

from enrolment.domain import Worker
from enrolment.queries import name_of
from services.kernel import Refusal, Refused
from services.store.work import Work


async def read_own_name(work: Work, worker: str, partner: str) -> str:
    """The name of a person whom this partner referred, noted in the person's log. Refused("no-such-worker", 404): also for the referral of
    another partner, and for a person whose data were deleted."""
    found = await work.peek(Worker, worker)
    if found is None or not found.is_referral_of(partner) or not found.card:
        raise Refused("no-such-worker", f"{partner} has referred no worker {worker}.", Refusal.NOT_FOUND)
    work.reads_for("own referrals")
    return await name_of(found, work)
