"""The worker's own page: where they are, what they can do, their data, and who saw them."""

from typing import Annotated, Any

from fastapi import Request, Response

from enrolment.domain import Status
from enrolment.personal import queries
from enrolment.personal.wording import FRAME, OTHER_READER, PARTS, READERS, STATUS, identity, looked_at, profile
from services.contracts.topics import SERVICES
from services.identity.auth import Role, Who, allowed
from services.kernel import Refusal, Refused
from services.web.frame import fragments, page_router
from services.web.frame.texts import LANGUAGES
from services.web.pages import language_of
from services.web.run import Reader, Run, Serving

router = page_router(FRAME)
Myself = Annotated[Who, allowed(Role.WORKER, own={Role.WORKER: "themselves"})]
SHOWN = 100  # reads that the page of accesses lists


@router.get("/me")
async def me(request: Request, run: Run, read: Reader, who: Myself) -> Response:
    """Show where the worker is on their way, their next meetings and open questionnaires, and what they can do. 410 erased."""
    found = await myself(run, who)
    parts = await fragments.gather(
        request,
        calendar="/sessions/frammenti/mio-calendario",
        surveys="/sessions/frammenti/miei-questionari",
        requests="/enrolment/frammenti/mie-richieste",
    )
    row = await read.row("desk", who.subject) or {}
    return FRAME.page(
        request, "me.html", who=who, rules=run.rules, me=found, parts=parts, step=STATUS[found.status],
        seat=queries.seat_of(row), enrolled=found.status in queries.ENROLLED, office=run.rules.office,
    )  # fmt: skip


@router.get("/me/dati")
async def data(request: Request, run: Run, who: Myself) -> Response:
    """The worker's data in the clear, and whom to tell that something is wrong. 410 erased."""
    found = await myself(run, who)
    language = language_of(request, LANGUAGES)
    return FRAME.page(
        request, "data.html", who=who, rules=run.rules, identity=identity(found, language),
        profile=profile(found, run.rules, language), office=run.rules.office,
    )  # fmt: skip


@router.get("/me/accessi")
async def accesses(request: Request, run: Run, who: Myself) -> Response:
    """List who read the worker's data, the newest first, from the logs of all services; a log that does not come is named."""
    await myself(run, who)
    service: Serving = request.app.state.service
    own = await queries.read_accesses(service.store, who.programme, who.subject, SHOWN)
    others = await siblings(request, who, "/workers/{worker}/accesses")
    reads = queries.newest(own, others, SHOWN)
    rows = [(each, READERS.get(each.role, OTHER_READER), looked_at(each.what)) for each in reads]
    missing = [PARTS[name] for name, found in others.items() if found is None]
    return FRAME.page(
        request,
        "accesses.html",
        who=who,
        rules=run.rules,
        rows=rows,
        missing=missing,
        most=SHOWN,
        office=run.rules.office,
    )


async def myself(run: Run, who: Who) -> queries.Me:
    """The data of the worker who calls. Refused("erased", 410) when nothing is left of them."""
    found = await run.query(queries.read_me, who.subject)
    if found.status is Status.ERASED:
        raise Refused("erased", f"Person {who.subject} was erased.", Refusal.GONE)
    return found


async def siblings(request: Request, who: Who, path: str) -> dict[str, Any]:
    """Ask what the other services answer at this path of theirs, by service; None for one that does not. Each has known the person since
    their key reached it, moments after the referral."""
    others = [each for each in SERVICES if each != "enrolment"]
    return await fragments.gather_json(
        request, **{each: f"/{each}{path.format(worker=who.subject)}" for each in others}
    )
