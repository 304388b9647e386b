"""The command of the interview form: consents, profile and result of one welcome interview, all of it or nothing."""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import Field

from enrolment.commands import (
    Admit,
    DecideConsent,
    Decline,
    Describe,
    Hold,
    admit,
    decide_consent,
    decline,
    describe,
    hold,
)
from services.contracts.base import Id
from services.contracts.enrolment import Declining, How, Purpose, WorkerProfiled
from services.kernel import Command
from services.store.work import Work


class Result(StrEnum):
    """The result of a welcome interview. `later`: it is decided another day."""

    ADMITTED = "admitted"
    DECLINED = "declined"
    LATER = "later"


class Interview(Command):
    """A welcome interview as a whole. `given`: the decisions on consents that were made in it; `profile`: None, not asked."""

    worker: Id
    result: Result
    reason: Declining | None = None
    profile: WorkerProfiled | None = None
    given: Mapping[Purpose, bool] = Field(default_factory=dict)
    notice: str
    language: str | None = None
    how: How | None = None


async def interview(command: Interview, work: Work) -> None:
    """Record the interview, its consents, the profile and the result, in one transaction. Refused: as each of these."""
    worker = command.worker
    await hold(Hold(worker=worker), work)
    if command.given:
        decision = DecideConsent(
            worker=worker, given=dict(command.given), notice=command.notice, language=command.language, how=command.how
        )
        await decide_consent(decision, work)
    if command.profile is not None:
        await describe(Describe(worker=worker, profile=command.profile), work)
    if command.result is Result.ADMITTED:
        await admit(Admit(worker=worker), work)
    elif command.result is Result.DECLINED:
        await decline(Decline(worker=worker, reason=command.reason or Declining.OTHER), work)
