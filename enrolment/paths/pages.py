"""Pages of requests for an operator: the list, one request with what can be done about it, and the forms that begin at a person's sheet.

Invariant: a list shows codes and no names, so that a look at it needs no name of anybody; each person on it has the look in their log.
"""

from datetime import UTC, date, datetime
from enum import StrEnum
from math import ceil
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import RedirectResponse, Response

from enrolment.domain import OfferedService, Status, is_expired
from enrolment.domain.requests import LATE, LINK_LASTS, UNFINISHED, WAITING
from enrolment.paths import commands as do
from enrolment.paths import forms, queries, wording
from enrolment.paths.refusals import AT, SENTENCES
from enrolment.paths.wording import FRAME
from enrolment.queries import Person, read_person
from enrolment.submitting import submitted
from services.contracts.base import Id
from services.contracts.enrolment import Purpose
from services.contracts.paths import Ending
from services.identity.auth import Role, Who, allowed
from services.kernel import Refusal, Refused, code_of
from services.web.frame import Filled, page_router
from services.web.frame.texts import LANGUAGES
from services.web.pages import language_of
from services.web.run import Reader, Reading, Run, Runner

router = page_router(FRAME)
Operator = Annotated[Who, allowed(Role.OPERATOR)]
PageNumber = Annotated[int, Query(ge=1, le=100_000, description="of the list, from 1")]
Done = Annotated[str, Query(pattern="^[a-z]{0,20}$", description="what was just done, so that the page says so")]
ROWS = 25  # of a page
OFFERED = 500  # services to choose from


class View(StrEnum):
    """A list of requests by the word of its address."""

    LATE = "senza-risposta"
    WAITING = "in-attesa"
    UNFINISHED = "aperte"
    ALL = "tutte"


def late_since(read: Reading) -> datetime:
    """The moment before which a request that waits should have an answer."""
    return datetime.now(UTC) - LATE


def filter_of(view: View, read: Reading) -> tuple[dict[str, Any], str]:
    """The filter of a list and its order: what waits longest first, except where all are shown."""
    if view is View.LATE:
        return {"waits": True, "since": {"$lt": late_since(read)}}, "since"
    if view is View.WAITING:
        return {"waits": True}, "since"
    return ({"unfinished": True}, "since") if view is View.UNFINISHED else ({}, "-since")


@router.get("/richieste")
async def requests(
    request: Request,
    run: Run,
    read: Reader,
    who: Operator,
    elenco: Annotated[View, Query(description="which of them")] = View.UNFINISHED,
    pagina: PageNumber = 1,
) -> Response:
    """List requests by code, with the service and how long each has waited."""
    where, order = filter_of(elenco, read)
    total = await read.count("requests", where)
    rows = await read.page("requests", where, [order, "_id"], (pagina - 1) * ROWS, ROWS)
    rows = [each for each in rows if "request" in each]
    await read.note_accesses([each["worker"] for each in rows], "requests")
    services = await run.query(queries.services_named, [each["service"] for each in rows])
    return FRAME.page(
        request, "paths/requests.html", who=who, rules=read.rules, rows=rows, services=services, view=elenco, views=View,
        total=total, page=pagina, pages=max(1, ceil(total / ROWS)), words=wording, late=late_since(read),
    )  # fmt: skip


@router.get("/richieste/{asked}")
async def one_request(asked: Id, request: Request, run: Run, who: Operator, fatto: Done = "") -> Response:
    """One request, and what can be done about it. The look is in the log of the person. 404 no-such-request."""
    return await _request(request, run, who, asked, fatto=fatto)


@router.post("/richieste/{asked}/collegamento")
async def link_again(asked: Id, request: Request, run: Run, who: Operator) -> Response:
    """Send the receiver a new link. 404 no-such-request · 409 answered-already, no-receiver-address, no-consent."""
    await run(do.link_again, do.LinkAgain(request=asked))
    return RedirectResponse(f"/richieste/{asked}?fatto=collegamento", 303)


@router.post("/richieste/{asked}/risposta")
async def note_answer(asked: Id, request: Request, run: Run, who: Operator) -> Response:
    """Write the answer of the receiver down. 404 no-such-request · 409 answered-already, out-of-order · 422 no-reason."""
    filled = await forms.NOTING.filled(request)
    body, status = filled.checked(forms.Answered), 422
    if body is not None:
        at = forms.moment_of(body.day, run.rules)
        command = do.AnswerRequest(request=asked, answer=body.answer, reason=body.reason, at=at)
        failed = (await submitted(run, do.answer_request, command, filled, SENTENCES, AT)).status
        if failed is None:
            return RedirectResponse(f"/richieste/{asked}?fatto=risposta", 303)
        status = failed
    return await _request(request, run, who, asked, noting=filled, status=status)


@router.post("/richieste/{asked}/fine")
async def note_end(asked: Id, request: Request, run: Run, who: Operator) -> Response:
    """Record the end of a request. 404 no-such-request · 409 not-accepted, ended-already, out-of-order."""
    filled = await forms.ENDING.filled(request)
    body, status = filled.checked(forms.Ended), 422
    if body is not None:
        command = do.EndRequest(request=asked, ending=body.ending, at=forms.moment_of(body.day, run.rules))
        failed = (await submitted(run, do.end_request, command, filled, SENTENCES, AT)).status
        if failed is None:
            return RedirectResponse(f"/richieste/{asked}?fatto=fine", 303)
        status = failed
    return await _request(request, run, who, asked, ending=filled, status=status)


async def _request(
    request: Request,
    run: Runner,
    who: Who,
    asked: str,
    *,
    fatto: str = "",
    noting: Filled | None = None,
    ending: Filled | None = None,
    status: int = 200,
) -> Response:
    found = await run.query(queries.one_request, asked)
    ends = ending or forms.ENDING.empty()
    if found.request.status in WAITING:
        ends.offer("ending", {Ending.ABANDONED.value: wording.ENDINGS[Ending.ABANDONED]})
    return FRAME.page(
        request, "paths/request.html", who=who, rules=run.rules, asked=found.request, service=found.service, words=wording,
        noting=noting or forms.NOTING.empty(), ending=ends, waits=found.request.status in WAITING,
        unfinished=found.request.status in UNFINISHED, done=fatto, status=status, now=datetime.now(UTC), days=LINK_LASTS.days,
        form=noting or ending,
    )  # fmt: skip


@router.get("/persone/{worker}/richiesta")
async def new_request(worker: Id, request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """The form of a request for one person. 404 no-such-worker · 410 erased."""
    person = await _person(run, worker)
    return await _asking(request, run, read, who, person, forms.ASKING.empty())


@router.post("/persone/{worker}/richiesta")
async def ask(worker: Id, request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """Show the answers once more, and then ask the service, once however often it is sent. 409 no-consent,
    service-inactive · 422 no-how."""
    person = await _person(run, worker)
    filled = await _offered(await forms.ASKING.filled(request), read)
    body = filled.checked(forms.Asking) if filled.step != "change" else None
    if body is None:
        return await _asking(request, run, read, who, person, filled, 422 if filled.errors else 200)
    if body.told and body.how is None:
        filled.wrong("how", SENTENCES["no-how"])
        return await _asking(request, run, read, who, person, filled, 422)
    service, _ = await run.query(queries.one_service, body.service)
    if filled.step == "check":
        return _check(request, run, who, person, filled, service)
    command = do.AskService(worker=worker, service=body.service, told=body.told, how=body.how)
    made = await submitted(run, do.ask_service, command, filled, SENTENCES, AT)
    if made.status is not None:
        return await _asking(request, run, read, who, person, filled, made.status)
    done = "inviata" if made.answer["sent"] else "fatta"
    return RedirectResponse(f"/richieste/{made.answer['request']}?fatto={done}", 303)


@router.get("/persone/{worker}/orientamento")
async def new_signpost(worker: Id, request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """The form by which it is noted that a person was told of a service. 404 no-such-worker · 410 erased."""
    person = await _person(run, worker)
    filled = await _offered(forms.SIGNPOSTING.empty(), read)
    return FRAME.page(
        request, "paths/signpost.html", who=who, rules=run.rules, person=person, form=filled, code=code_of(worker)
    )


@router.post("/persone/{worker}/orientamento")
async def signpost(worker: Id, request: Request, run: Run, read: Reader, who: Operator) -> Response:
    """Note that a person was told of a service; their own way goes on as before. 409 service-inactive · 410 erased."""
    person = await _person(run, worker)
    filled = await _offered(await forms.SIGNPOSTING.filled(request), read)
    body, status = filled.checked(forms.Signposted), 422
    if body is not None:
        command = do.Signpost(worker=worker, service=body.service)
        failed = (await submitted(run, do.signpost, command, filled, SENTENCES, AT)).status
        if failed is None:
            return RedirectResponse(f"/persone/{worker}#richieste", 303)
        status = failed
    return FRAME.page(
        request, "paths/signpost.html", who=who, rules=run.rules, person=person, form=filled, code=code_of(worker), status=status
    )  # fmt: skip


async def _person(run: Runner, worker: str) -> Person:
    person = await run.query(read_person, worker)
    if person.status is Status.ERASED:
        raise Refused("erased", f"Person {worker} was erased.", Refusal.GONE)
    return person


async def _offered(filled: Filled, read: Reading) -> Filled:
    """Offer the services that are offered, by name; one whose notes are expired says so."""
    rows = await read.page("services", queries.ACTIVE, ["name"], 0, OFFERED)
    filled.offer("service", {each["service"]: f"{each['name']} ({each['organization_name']})" for each in rows})
    return filled


async def _asking(
    request: Request, run: Runner, read: Reading, who: Who, person: Person, filled: Filled, status: int = 200
) -> Response:
    form = await _offered(filled, read)
    consents = bool(person.consents.get(Purpose.PARTICIPATION, {}).get("given"))
    return FRAME.page(
        request, "paths/asking.html", who=who, rules=run.rules, person=person, form=form, code=code_of(person.worker),
        consents=consents, status=status,
    )  # fmt: skip


def _check(
    request: Request, run: Runner, who: Who, person: Person, filled: Filled, service: OfferedService
) -> Response:
    """The answers once more, with whom they reach, before anything is sent."""
    language = language_of(request, LANGUAGES)
    options = filled.options
    rows = [
        (field.label, FRAME.text(language, options[name][filled.values[name]]) if filled.values[name] else "")
        for name, field in filled.form.fields.items()
    ]
    today: date = run.rules.day_of(datetime.now(UTC))
    return FRAME.page(
        request, "paths/check.html", who=who, rules=run.rules, person=person, form=filled, code=code_of(person.worker), rows=rows,
        service=service.told, expired=is_expired(service.told.valid_to, today), told=filled.values["told"] == "yes",
    )  # fmt: skip
