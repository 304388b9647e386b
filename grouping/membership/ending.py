"""The page on which an operator concludes a group: what it means, the safe way back first, and the reason."""

from datetime import UTC, datetime
from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel

from grouping.acting import done, version_in
from grouping.membership import commands as do
from grouping.membership.pages import ENDINGS, FRAME, Operator
from grouping.membership.queries import Sheet, open_group
from grouping.reading import named
from services.contracts.base import Id
from services.contracts.grouping import Ending
from services.identity.auth import Who
from services.web.frame import Field, Filled, Form, Kind, page_router
from services.web.frame.texts import N_
from services.web.run import Reader, Run

router = page_router(FRAME)


class Conclusion(BaseModel):
    """Why a group meets no more."""

    reason: Ending


CONCLUSION = Form(
    Field("seen", N_("Version"), Kind.HIDDEN),
    Field(
        "reason",
        N_("Why does the group end?"),
        Kind.RADIOS,
        options={each.value: text for each, text in ENDINGS.items()},
    ),
)


@router.get("/gruppi/{group}/conclusione")
async def concluding(group: Id, request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """Show what the end of a group means, and ask for the reason. 404 no-such-group."""
    sheet = await run.query(open_group, group)
    return await _concluding(request, read, who, sheet, CONCLUSION.empty(seen=str(sheet.version)))


@router.post("/gruppi/{group}/conclusione")
async def conclude(group: Id, request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """End a group. 404 no-such-group · 409 concluded, out-of-order · 412 changed-meanwhile, above the form."""
    sheet = await run.query(open_group, group)
    filled = await CONCLUSION.filled(request)
    body = filled.checked(Conclusion)
    if body is None:
        return await _concluding(request, read, who, sheet, filled)
    command = do.Conclude(group=group, reason=body.reason, seen=version_in(filled))
    status = (await done(run.once(filled.key), do.conclude, command, filled)).status
    if status is not None:
        filled.values["seen"] = str(sheet.version)
        return await _concluding(request, read, who, sheet, filled, status)
    return RedirectResponse(f"/gruppi/{group}?fatto=conclusione", 303)


async def _concluding(
    request: Request, read: Reader, who: Who, sheet: Sheet, filled: Filled, status: int = 200
) -> Response:
    shown: dict[str, Any] = {"sheet": sheet, "form": filled, "today": read.rules.day_of(datetime.now(UTC))}
    places = await named(read, "places", [sheet.place])
    return FRAME.page(
        request, "membership/conclude.html", who=who, rules=read.rules, status=status, places=places, **shown
    )
