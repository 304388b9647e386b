"""Reads of a referrer's pages: the names of the people whom their own partner referred, and how far each has come."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from enrolment.domain import Worker
from enrolment.queries import OwnReferral, name_of
from services.contracts.base import Day
from services.kernel import Refusal, Refused, code_of
from services.store.work import Work


class Step(StrEnum):
    """The last step that the partner may know of."""

    REFERRED = "referred"
    ADMITTED = "admitted"
    DECLINED = "declined"
    SEATED = "seated"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Shown:
    """A referral in the list. `since`: the day of its last step that the partner may know of. `name`: None for a person whose data were
    deleted."""

    worker: str
    code: str
    name: str | None
    referred: Day
    step: Step
    since: Day


def shown(referral: OwnReferral, names: dict[str, str]) -> Shown:
    """A referral with its last step. Whoever left has left, whatever came before."""
    days = {step: getattr(referral, step.value) for step in reversed(Step)}
    step, since = next((step, day) for step, day in days.items() if day is not None)
    return Shown(referral.worker, code_of(referral.worker), names.get(referral.worker), referral.referred, step, since)


async def read_own_names(work: Work, people: Sequence[str], partner: str) -> dict[str, str]:
    """The names of those of these people whom this partner referred; each read is in the person's log. Three statements for all."""
    work.reads_for("own referrals")
    found = [each for each in await work.peek_all(Worker, people) if each.is_referral_of(partner) and each.card]
    await work.open_keys([each.id for each in found])
    return {each.id: await name_of(each, work) for each in found}


async def check_own(work: Work, worker: str, partner: str) -> None:
    """Refuse a referral that another partner made as one that is not there: Refused("no-such-worker", 404)."""
    found = await work.peek(Worker, worker)
    if found is None or not found.is_referral_of(partner):
        raise Refused("no-such-worker", f"{partner} has referred no worker {worker}.", Refusal.NOT_FOUND)
