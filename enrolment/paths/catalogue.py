"""Pages of the catalogue: the list of services, and the forms that add one, correct it, retire it and offer it again.

Invariant: a page of the list costs what is on it.
"""

from datetime import UTC, date, datetime
from math import ceil
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import RedirectResponse, Response

from enrolment.domain import is_expired
from enrolment.paths import commands as do
from enrolment.paths import forms, queries, wording
from enrolment.paths.refusals import AT, SENTENCES
from enrolment.paths.wording import FRAME
from enrolment.submitting import submitted
from services.contracts.base import Slug
from services.contracts.paths import ServiceRegistered
from services.identity.auth import Role, Who, allowed
from services.programmes import Programme
from services.web.frame import Filled, page_router
from services.web.run import Reader, Reading, Run

router = page_router(FRAME)
Operator = Annotated[Who, allowed(Role.OPERATOR)]
PageNumber = Annotated[int, Query(ge=1, le=100_000, description="of the list, from 1")]
SAVED = Annotated[bool, Query(description="whether something was just saved, so that the page says so")]
ROWS = 25  # of a page


@router.get("/servizi")
async def services(
    request: Request, read: Reader, who: Operator, pagina: PageNumber = 1, salvato: SAVED = False
) -> Response:
    """List the services of the catalogue by name, those that are not offered any more at the end."""
    rows = await read.page("services", {}, ["status", "name"], (pagina - 1) * ROWS, ROWS)
    total = await read.count("services", {})
    shown: dict[str, Any] = {"rows": [_dated(each, read) for each in rows if "service" in each], "words": wording}
    return FRAME.page(
        request, "paths/services.html", who=who, rules=read.rules, total=total, page=pagina, pages=max(1, ceil(total / ROWS)),
        saved=salvato, **shown,
    )  # fmt: skip


def _dated(row: dict[str, Any], read: Reading) -> dict[str, Any]:
    """The row with its days as days, and whether the notes on eligibility are expired."""
    days = {name: date.fromisoformat(row[name]) for name in ("valid_to", "assured_date") if row.get(name)}
    return {**row, **days, "expired": is_expired(days.get("valid_to"), read.rules.day_of(datetime.now(UTC)))}


@router.get("/servizi/nuovo")
async def new_service(request: Request, run: Run, who: Operator) -> Response:
    """The form for a new service."""
    return _form(request, run, who, _offered(forms.SERVICE.empty(), run.rules))


@router.post("/servizi/nuovo")
async def add_service(request: Request, run: Run, who: Operator) -> Response:
    """Add a service. 422: what is wrong stands at its field."""
    return await _saved(request, run, who, None)


@router.get("/servizi/{service}")
async def one_service(service: Slug, request: Request, run: Run, who: Operator) -> Response:
    """The form that corrects a service. 404 no-such-service."""
    found, version = await run.query(queries.one_service, service)
    partner = found.told.organization_id if run.rules.partner(found.told.organization_id) else ""
    typed = {name: _typed(value) for name, value in found.told.model_dump().items() if value is not None}
    filled = forms.SERVICE.empty(**{**typed, "organization_id": partner, "seen": str(version)})
    return _form(request, run, who, _offered(filled, run.rules), service, found.told)


@router.post("/servizi/{service}")
async def correct_service(service: Slug, request: Request, run: Run, who: Operator) -> Response:
    """Correct a service. 404 no-such-service · 412 changed-meanwhile, above the form."""
    return await _saved(request, run, who, service)


@router.post("/servizi/{service}/ritiro")
async def retire(service: Slug, run: Run, who: Operator) -> Response:
    """Offer a service no more; requests that were made go on. 404 no-such-service · 409 service-inactive."""
    await run(do.offer_service, do.OfferService(service=service, offered=False))
    return RedirectResponse("/servizi?salvato=true", 303)


@router.post("/servizi/{service}/ritorno")
async def offer_again(service: Slug, run: Run, who: Operator) -> Response:
    """Offer a service again. 404 no-such-service · 409 service-active."""
    await run(do.offer_service, do.OfferService(service=service, offered=True))
    return RedirectResponse("/servizi?salvato=true", 303)


async def _saved(request: Request, run: Run, who: Who, service: str | None) -> Response:
    """Save what was typed, or show the form again with what is wrong."""
    known, version = await run.query(queries.one_service, service) if service is not None else (None, 0)
    filled = _offered(await forms.SERVICE.filled(request), run.rules)
    body, status = filled.checked(forms.ServiceAnswers), None
    if body is not None:
        before = known.told.organization_id if known is not None else ""
        organization = before if before and run.rules.partner(before) is None else do.id_of(body.organization_name)
        command = do.RegisterService(service=service, content=body.content(organization), seen=_seen(filled, service))
        status = (await submitted(run, do.register_service, command, filled, SENTENCES, AT)).status
    if body is not None and status is None:
        return RedirectResponse("/servizi?salvato=true", 303)
    filled.values["seen"] = str(version)
    return _form(request, run, who, filled, service, known.told if known is not None else None, status or 422)


def _seen(filled: Filled, service: str | None) -> int | None:
    """The version that the form showed; 0, which nothing stored has, when that cannot be told."""
    text = filled.values["seen"]
    if service is None:
        return None
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _typed(value: Any) -> str:
    return f"{value.day}/{value.month}/{value.year}" if isinstance(value, date) else str(value)


def _offered(filled: Filled, rules: Programme) -> Filled:
    filled.offer("organization_id", sorted((each.id, each.name) for each in rules.active.partners))
    return filled


def _form(
    request: Request,
    run: Run,
    who: Who,
    filled: Filled,
    service: str | None = None,
    known: ServiceRegistered | None = None,
    status: int = 200,
) -> Response:
    expired = known is not None and is_expired(known.valid_to, run.rules.day_of(datetime.now(UTC)))
    return FRAME.page(
        request, "paths/service.html", who=who, rules=run.rules, form=filled, service=service, known=known, expired=expired,
        status=status,
    )  # fmt: skip
