"""The command that erases a person whose data are not needed any more.

Invariant: it decides by the state that it finds. Somebody who came back since the list was made is not erased.
"""

from datetime import date

from enrolment.commands import Erase, erase
from enrolment.domain import Status, Worker
from enrolment.domain.retention import Limit, limit_of
from services.contracts.base import Id
from services.kernel import Command
from services.store.work import Work


class EraseWhenDue(Command):
    """The data of a person were kept until this day, by this limit."""

    worker: Id
    limit: Limit
    until: date


async def erase_when_due(command: EraseWhenDue, work: Work) -> dict[str, bool]:
    """Erase the person, unless the day has not passed, or they are at another step by now. Gives `erased`."""
    worker = await work.find(Worker, command.worker)
    if worker is None or worker.status is Status.ERASED or work.rules.day_of(work.now) <= command.until:
        return {"erased": False}
    if command.limit is not Limit.ENDED and limit_of(worker.status) is not command.limit:
        return {"erased": False}
    await erase(Erase(worker=worker.id), work)
    return {"erased": True}
