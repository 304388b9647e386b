"""The route by which a program sends a list: judged without `apply`, taken with it."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.datastructures import UploadFile

from enrolment.lists import commands as do
from enrolment.lists import wording
from enrolment.lists.archive import Unreadable
from enrolment.lists.checking import Told, check
from services.contracts.base import Slug
from services.identity.auth import Role, Who, allowed
from services.kernel import Refusal, Refused
from services.web import LARGEST
from services.web.forms import form_of
from services.web.run import Run

router = APIRouter()
OWN = {Role.REFERRER: "the referrals of their own partner"}


class Report(BaseModel):
    """The fate of a list: what became of it, or would. `counts`: people by outcome; `mistakes`: by row and column; `repeated`: a row, and
    the row that it repeats; `ignored`: columns from which nothing is taken."""

    taken: bool
    counts: dict[str, int]
    mistakes: list[Told]
    repeated: list[tuple[int, int]]
    ignored: list[str]
    found: str


@router.post("/lists")
async def take(
    request: Request,
    run: Run,
    who: Annotated[Who, allowed(Role.REFERRER, Role.OPERATOR, own=OWN)],
    apply: Annotated[bool, Query(description="take it; otherwise only say what would happen")] = False,
    only_good: Annotated[bool, Query(description="leave out the rows with a mistake; otherwise they stop it")] = False,
    partner: Annotated[Slug | None, Query(description="for an operator: the partner that refers")] = None,
) -> Report:
    """Judge a list, the field `file` of a form (CSV, XLSX, ODS), and take it with `apply`. 403 not-your-partner · 409 out-of-order,
    partner-retired · 413 · 422 no-partner, no-list (`fault` says why), mistakes, no-such-partner, no-referrer."""
    owner = partner or who.partner
    if owner is None:
        raise Refused("no-partner", "Name the partner that refers.", Refusal.INVALID)
    if who.role is Role.REFERRER and owner != who.partner:
        raise Refused("not-your-partner", "A referrer refers for their own partner.", Refusal.FORBIDDEN)
    file = (await form_of(request, LARGEST)).get("file")
    try:
        content = await file.read() if isinstance(file, UploadFile) else b""
        checked = await asyncio.to_thread(check, content, run.rules)
    except Unreadable as fault:
        sentence = wording.FILES[fault.code] % fault.values if fault.values else wording.FILES[fault.code]
        raise Refused("no-list", sentence, Refusal.INVALID, fault=fault.code) from None
    if apply and checked.mistakes and not only_good:
        first = checked.mistakes[0]
        said = f"{checked.wrong_rows} rows have a mistake, the first one row {first.row}. Nothing was taken."
        raise Refused("mistakes", said, Refusal.INVALID)
    if apply:
        counts = await run(do.take_list, do.TakeList(partner=owner, rows=checked.rows))
    else:
        found = list((await run.query(do.foresee, owner, checked.rows)).values())
        counts = {each.value: found.count(each) for each in do.Outcome}
    return Report(
        taken=apply, counts=counts, mistakes=checked.mistakes, repeated=checked.repeated, ignored=checked.ignored, found=checked.found
    )  # fmt: skip
