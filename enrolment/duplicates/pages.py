"""Pages of records that may be of one person: the list, two of them side by side, and what a merge means."""

from math import ceil
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel

from enrolment.duplicates import commands as do
from enrolment.duplicates import queries
from enrolment.duplicates.queries import Compared
from enrolment.duplicates.wording import DIFFERENT, DONE, SENTENCES, STAYS
from services.contracts.base import Id
from services.identity.auth import Role, Who, allowed
from services.kernel import Refused, Unavailable, code_of
from services.web.failures import STATUS
from services.web.frame import Field, Filled, Form, Frame, Kind, page_router
from services.web.frame.texts import LANGUAGES, N_
from services.web.pages import language_of
from services.web.run import Reader, Run, Runner

FRAME = Frame("enrolment.duplicates", refusals=SENTENCES)
router = page_router(FRAME)
Operator = Annotated[Who, allowed(Role.OPERATOR)]
PageNumber = Annotated[int, Query(ge=1, le=100_000, description="of the list, from 1")]
APART = "distinte"  # the answer that they are two people; any other is the id of the record that goes on
FORM = Form(
    Field(
        "decision",
        N_("Are they one person?"),
        Kind.RADIOS,
        hint=N_("If in doubt, ask the person: a merge cannot be undone after a day."),
    )
)
FIELDS = {
    "given_name": N_("Given name"),
    "family_name": N_("Family name"),
    "fiscal_code": N_("Tax code"),
    "birth_year": N_("Year of birth"),
    "email": N_("E-mail"),
    "phone": N_("Telephone"),
}


class Decided(BaseModel):
    """The decision of an operator."""

    decision: str


@router.get("/doppioni")
async def listed(
    request: Request,
    read: Reader,
    who: Operator,
    pagina: PageNumber = 1,
    fatto: Annotated[str | None, Query(pattern=f"^({'|'.join(DONE)})$")] = None,
) -> Response:
    """List the pairs that nobody has judged, by code, and the merges that wait."""
    store = request.app.state.service.store
    found, waiting = await queries.pairs(store, who.programme, pagina), await queries.planned(store, who.programme)
    shown: dict[str, Any] = {
        "pairs": found.rows,
        "total": found.total,
        "page": pagina,
        "pages": max(1, ceil(found.total / queries.ROWS)),
        "planned": waiting.rows,
        "waiting": waiting.total,
        "done": DONE[fatto] if fatto else None,
    }
    return FRAME.page(request, "duplicates/list.html", who=who, rules=read.rules, **shown)


@router.get("/frammenti/doppioni")
async def to_compare(request: Request, read: Reader, who: Operator) -> Response:
    """The number of records to compare, for the page of today."""
    store = request.app.state.service.store
    total = (await queries.pairs(store, who.programme)).total
    return FRAME.part(request, "duplicates/today.html", who=who, rules=read.rules, total=total)


@router.get("/doppioni/{worker}/{mate}")
async def pair(worker: Id, mate: Id, request: Request, run: Run, who: Operator) -> Response:
    """Show two records side by side, and ask if they are one person. Both reads are in the logs of accesses. 404 no-such-worker."""
    found = await run.query(queries.compare, worker, mate)
    return _asked(request, run, who, found, FORM.empty(decision="" if not found.certain else found.stays))


@router.post("/doppioni/{worker}/{mate}")
async def decide(worker: Id, mate: Id, request: Request, run: Run, who: Operator) -> Response:
    """Show what the decision means, then record it. 404 no-such-worker · 409 above the form, as the commands refuse."""
    found = await run.query(queries.compare, worker, mate)
    filled = await FORM.filled(request)
    _offer(request, filled, found)
    body = filled.checked(Decided)
    if body is None or filled.step == "change":
        return _asked(request, run, who, found, filled)
    if filled.step == "check":
        return FRAME.page(
            request, "duplicates/check.html", who=who, rules=run.rules, found=found, form=filled, apart=body.decision == APART,
            stays=_code(found, body.decision),
        )  # fmt: skip
    command: tuple[Any, Any]
    if body.decision == APART:
        command = do.part, do.Part(worker=worker, other=mate)
    else:
        command = do.merge, do.Merge(worker=mate if body.decision == worker else worker, into=body.decision)
    status = await _run(run, filled, *command)
    if status is not None:
        return _asked(request, run, who, found, filled, status)
    return RedirectResponse(f"/doppioni?fatto={'distinte' if body.decision == APART else 'unione'}", 303)


@router.post("/doppioni/{worker}/{mate}/annulla")
async def take_back(worker: Id, mate: Id, request: Request, run: Run, who: Operator) -> Response:
    """Take a judgement back. 404 no-such-worker · 409 above the pair, as `undo` refuses."""
    filled = await FORM.filled(request)
    status = await _run(run, filled, do.undo, do.Undo(worker=worker, other=mate))
    if status is not None:
        found = await run.query(queries.compare, worker, mate)
        return _asked(request, run, who, found, filled, status)
    return RedirectResponse("/doppioni?fatto=annullata", 303)


def _offer(request: Request, filled: Filled, found: Compared) -> None:
    """Offer each of the two records to stay, and that they are two people."""
    language = language_of(request, LANGUAGES)
    ids = (found.one.worker, found.other.worker)
    same = {each: FRAME.text(language, STAYS, code=code_of(each)) for each in ids}
    filled.offer("decision", {**same, APART: DIFFERENT})


def _code(found: Compared, decision: str) -> str:
    return code_of(decision) if decision in {found.one.worker, found.other.worker} else ""


async def _run(run: Runner, filled: Filled, handler: Any, command: Any) -> int | None:
    """Run the command. When it is refused, the reason is above the form, and the status of the page is returned."""
    try:
        await run.once(filled.key)(handler, command)
    except Unavailable as away:
        filled.refuse(Refused("unavailable", away.detail))
        return 503
    except Refused as refused:
        if refused.code not in SENTENCES:
            raise
        filled.refuse(refused)
        return STATUS[refused.kind]
    return None


def _asked(
    request: Request, run: Runner, who: Who, found: Compared, filled: Filled, status: int | None = None
) -> Response:
    _offer(request, filled, found)
    code = status or (422 if filled.errors else 200)
    rows = [(label, found.one.card.get(name), found.other.card.get(name)) for name, label in FIELDS.items()]
    return FRAME.page(
        request, "duplicates/pair.html", who=who, rules=run.rules, status=code, found=found, form=filled,
        rows=[row for row in rows if row[1] or row[2]],
    )  # fmt: skip
