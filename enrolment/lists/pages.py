"""Pages on which a referrer sends a list: the file, what would happen row by row, and the list that is taken."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Query, Request, Response
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse

from enrolment.lists import commands as do
from enrolment.lists import wording
from enrolment.lists.archive import Unreadable
from enrolment.lists.checking import Checked, brought, carried, check, once_of, safe_csv, template, template_xlsx
from enrolment.lists.commands import Outcome
from enrolment.lists.reading import LARGEST
from services.identity.auth import Role, Who, allowed, open_to_all
from services.kernel import Refusal, Refused, Unavailable
from services.programmes import Partner
from services.web import LARGEST as LARGEST_BODY
from services.web.failures import STATUS
from services.web.forms import form_of, typed
from services.web.frame import Frame, page_router
from services.web.frame.texts import LANGUAGES, Said
from services.web.pages import language_of
from services.web.run import Run, Runner

FRAME = Frame("enrolment.lists", refusals=wording.REFUSALS)
router = page_router(FRAME)
Referrer = Annotated[Who, allowed(Role.REFERRER, own={Role.REFERRER: "the referrals of their own partner"})]
Number = Annotated[int, Query(ge=0, le=100_000)]
SHOWN = 200  # mistakes on the page; the file has all of them
AGAIN = 422
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("/segnalazioni/elenco")
async def upload(request: Request, run: Run, who: Referrer) -> Response:
    """The form for a file, with templates to fill in. 403 not-a-referrer."""
    return _upload(request, run, who, _partner(run, who))


@router.post("/segnalazioni/elenco")
async def send(request: Request, run: Run, who: Referrer) -> Response:
    """Judge a file and show what would happen, without doing anything; or take the list that was shown. 403 not-a-referrer · 409
    out-of-order · 422: the file is no list."""
    partner = _partner(run, who)
    form = await form_of(request, LARGEST_BODY)
    secret = request.app.state.service.holder.secrets("lists")[0]
    owner = f"{run.rules.id}/{partner.id}"
    step = typed(form, "step")
    try:
        if step in {"all", "good", "mistakes"}:
            carrying = typed(form, "list")
            checked = brought(carrying, secret, owner, datetime.now(UTC))
            return (
                _mistakes(request, checked)
                if step == "mistakes"
                else await _take(run.once(once_of(carrying)), partner, checked, step)
            )
        file = form.get("file")
        content = await file.read() if isinstance(file, UploadFile) else b""
        if not content and not (isinstance(file, UploadFile) and file.filename):
            raise Unreadable("no-file")
        checked = await asyncio.to_thread(check, content, run.rules)
    except Unreadable as fault:
        return _upload(request, run, who, partner, Said(wording.FILES[fault.code], values=fault.values), AGAIN)
    except Unavailable:
        return _upload(request, run, who, partner, Said(wording.REFUSALS["unavailable"]), 503)
    except Refused as refused:
        sentence = Said(wording.REFUSALS.get(refused.code, wording.OTHERWISE))
        return _upload(request, run, who, partner, sentence, STATUS[refused.kind])
    outcomes = await run.query(do.foresee, partner.id, checked.rows)
    return FRAME.page(
        request, "lists/check.html", who=who, rules=run.rules, partner=partner, checked=checked, counts=_counts(outcomes), words=wording,
        list=carried(checked, secret, owner, datetime.now(UTC)), shown=SHOWN, numbers=list(Outcome),
    )  # fmt: skip


async def _take(run: Runner, partner: Partner, checked: Checked, step: str) -> Response:
    """Take the list. The same page sent twice is one command."""
    if step == "all" and checked.mistakes:
        raise Unreadable("changed")
    counts = await run(do.take_list, do.TakeList(partner=partner.id, rows=checked.rows))
    return RedirectResponse(
        f"/segnalazioni/elenco/fatto?nuove={counts['new']}&corrette={counts['corrected']}&uguali={counts['same']}&avviate={counts['closed']}",
        303,
    )


@router.get("/segnalazioni/elenco/fatto")
async def done(
    request: Request,
    run: Run,
    who: Referrer,
    nuove: Number = 0,
    corrette: Number = 0,
    uguali: Number = 0,
    avviate: Number = 0,
) -> Response:
    """Say what became of the list, and what happens next."""
    counts = dict(zip(Outcome, (nuove, corrette, uguali, avviate), strict=True))
    return FRAME.page(
        request, "lists/done.html", who=who, rules=run.rules, counts=counts, words=wording, office=run.rules.office
    )


@router.get("/segnalazioni/elenco/modello.csv", dependencies=[open_to_all("it names nobody: an empty list to fill in")])
async def csv_template(request: Request) -> Response:
    """The template as CSV, in the reader's language."""
    return _file(safe_csv(template(language_of(request, LANGUAGES))), "text/csv; charset=utf-8", "modello.csv")


@router.get(
    "/segnalazioni/elenco/modello.xlsx", dependencies=[open_to_all("it names nobody: an empty list to fill in")]
)
async def xlsx_template(request: Request) -> Response:
    """The template as a workbook, in the reader's language."""
    return _file(template_xlsx(language_of(request, LANGUAGES)), XLSX, "modello.xlsx")


def _mistakes(request: Request, checked: Checked) -> Response:
    """All mistakes as a file, to mend the list beside it."""
    language = language_of(request, LANGUAGES)
    rows = [
        (each.row, each.column, each.value, FRAME.text(language, wording.MISTAKES.get(each.code, wording.OTHERWISE)))
        for each in checked.mistakes
    ]
    heads = tuple(FRAME.text(language, each) for each in wording.HEADS)
    return _file(safe_csv([heads, *rows]), "text/csv; charset=utf-8", "errori.csv")


def _file(content: bytes, kind: str, name: str) -> Response:
    return Response(content, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _counts(outcomes: dict[int, Outcome]) -> dict[Outcome, int]:
    return {each: sum(found is each for found in outcomes.values()) for each in Outcome}


def _upload(
    request: Request, run: Runner, who: Who, partner: Partner, fault: Said | None = None, status: int = 200
) -> Response:
    return FRAME.page(
        request, "lists/upload.html", who=who, rules=run.rules, partner=partner, fault=fault, status=status,
        most=LARGEST // 1024, office=run.rules.office,
    )  # fmt: skip


def _partner(run: Runner, who: Who) -> Partner:
    partner: Any = run.rules.partner(who.partner or "")
    if partner is None or not partner.may_refer:
        raise Refused("not-a-referrer", f"{who.partner} has no role in which it refers people.", Refusal.FORBIDDEN)
    found: Partner = partner
    return found
