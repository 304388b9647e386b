"""The command that erases a person whose data are not needed any more.

Invariant: it decides by the state that it finds. Somebody who came back since the list was made is not erased.
"""

from datetime import date

from enrolment.commands import Erase, erase
from enrolment.domain import Worker
from enrolment.domain.retention import Limit, kept_until
from services.contracts.base import Id
from services.kernel import Command
from services.programmes import Programme
from services.store.work import Work


class EraseWhenDue(Command):
    """The data of a person were kept long enough, by the read model of the steps."""

    worker: Id


async def erase_when_due(command: EraseWhenDue, work: Work) -> dict[str, bool]:
    """Erase the person, unless by the record itself the last day has not passed. Gives `erased`."""
    worker = await work.find(Worker, command.worker)
    if worker is None or (until := _kept_until(worker, work.rules)) is None or work.rules.day_of(work.now) <= until:
        return {"erased": False}
    await erase(Erase(worker=worker.id), work)
    return {"erased": True}


def _kept_until(worker: Worker, rules: Programme) -> date | None:
    """The last day on which the data are kept, by the record itself; None: they are gone, or kept for ever."""
    if rules.retention is None:
        return None
    began = worker.returned or worker.referred
    since = {Limit.UNDECIDED: began, Limit.DECLINED: worker.ended, Limit.LEFT: worker.ended}
    days = {limit: rules.day_of(at) if at is not None else None for limit, at in since.items()}
    months = {each: getattr(rules.retention, each.value) for each in Limit}
    found = kept_until(worker.status, months, {**days, Limit.ENDED: rules.ends})
    return found[1] if found is not None else None
