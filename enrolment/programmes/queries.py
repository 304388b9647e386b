"""Reads of what is published, and of who lives in it."""

from enrolment.domain import Worker
from enrolment.programmes.domain import PublishedProgramme
from services.contracts.programmes import ProgrammePublished
from services.kernel import Refusal, Refused
from services.programmes import Uses, counted_uses
from services.store.mongo import Store
from services.store.work import Work


async def published(work: Work) -> ProgrammePublished:
    """The version in force. Refused("no-such-programme") before the first is published."""
    programme = await work.peek(PublishedProgramme, work.programme)
    if programme is None or programme.content is None:
        raise Refused("no-such-programme", f"{work.programme} is not published yet.", Refusal.NOT_FOUND)
    return programme.content


async def uses(work: Work) -> Uses:
    """Count the people that name each partner, and the consents that name each version of the notice.

    Grouping counts slots and municipalities, which it knows from the profiles."""
    workers = await work.browse(Worker)
    referred = [("partners", each.partner, "people") for each in workers]
    consented = [("notices", each.notice, "consents") for worker in workers for each in worker.consents.values()]
    return counted_uses([*referred, *consented])


async def lived_in(store: Store, programme: str) -> bool:
    """True when somebody was ever referred to the programme."""
    return await store["worker"].find_one({"programme": programme}, {"_id": 1}) is not None
