"""Pages about people for an operator: the search, the sheet of one person, and the decisions about them."""

from dataclasses import dataclass
from datetime import date, datetime
from math import ceil
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import RedirectResponse

from enrolment import questions
from enrolment.domain import ENROLLED, Status, Worker
from enrolment.people import forms, queries, steps, wording
from enrolment.people.deeds import DEEDS, Deed
from enrolment.people.index import NameIndex
from enrolment.people.refusals import AT, SENTENCES
from enrolment.queries import Person, read_person
from services.contracts.base import Id
from services.identity.auth import Role, Who, allowed
from services.kernel import Refusal, Refused, Unavailable, code_of
from services.web.failures import STATUS
from services.web.frame import Filled, Frame, page_router
from services.web.frame.fragments import gather
from services.web.frame.texts import LANGUAGES
from services.web.pages import language_of
from services.web.run import Reader, Run, Runner

FRAME = Frame("enrolment.people", refusals=SENTENCES)
router = page_router(FRAME)
Operator = Annotated[Who, allowed(Role.OPERATOR)]
PageNumber = Annotated[int, Query(ge=1, le=100_000, description="of the list, from 1")]
PLAIN = r"^[^\x00-\x1f\x7f]*$"  # no control characters; folding takes the rest
ROWS = 25  # of a page
EVENTS = 100  # of a timeline
SENT = "collegamento"
NEXT = {
    Status.REFERRED: "contact",
    Status.CONTACTED: "book",
    Status.BOOKED: "meet",
    Status.DECLINED: "ended",
    Status.WITHDRAWN: "ended",
    Status.MERGED: "merged",
}  # the next step of who is not admitted, and has not been interviewed


def _index(request: Request) -> NameIndex:
    found: NameIndex = request.app.state.names
    return found


@router.get("/persone")
async def search(
    request: Request,
    run: Run,
    read: Reader,
    who: Operator,
    index: Annotated[NameIndex, Depends(_index)],
    nome: Annotated[str, Query(max_length=200, pattern=PLAIN, description="parts of a name, or a code")] = "",
    pagina: PageNumber = 1,
) -> Response:
    """The people whom the query names, by name; everybody without one. Whoever is shown has it in their log of accesses."""
    service = request.app.state.service
    await index.refresh(service.store, service.holder, who.programme)
    asked = nome.strip()
    people = index.found(who.programme, asked) if asked else index.everybody(who.programme)
    pages = max(1, ceil(len(people) / ROWS))
    page = min(pagina, pages)
    shown = people[(page - 1) * ROWS : page * ROWS]
    found = await run.query(queries.read_listed, shown, queries.SEARCH if asked else queries.LIST)
    steps = await read.rows("desk", {"_id": {"$in": [f"{who.programme}/{each}" for each in shown]}})
    return FRAME.page(
        request, "people/search.html", who=who, rules=read.rules, asked=asked, found=found, total=len(people), page=page, pages=pages,
        steps={row["worker"]: row for row in steps if "worker" in row}, words=wording,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sheet:
    """A person as the sheet shows them: the data, the row of their steps, and what happened, the latest first."""

    person: Person
    row: dict[str, Any]
    events: list[dict[str, Any]]

    @property
    def name(self) -> str:
        """The whole name; the code of a person whose card was lost."""
        names = [self.person.card.get(name, "") for name in ("given_name", "family_name")]
        return " ".join(names).strip() or code_of(self.person.worker)

    @property
    def decisions(self) -> list[dict[str, Any]]:
        """The decisions on consents, the latest first."""
        return [each for each in self.events if each["what"] == "consent"]

    @property
    def decided(self) -> dict[str, datetime]:
        """When the decision was made that counts, by purpose."""
        return {purpose: datetime.fromisoformat(each["at"]) for purpose, each in self.person.consents.items()}

    @property
    def start(self) -> date | None:
        """The day before which the person wants no place."""
        day = (self.person.profile or {}).get("not_before")
        return date.fromisoformat(day) if day else None

    @property
    def seated(self) -> date | None:
        """The first day of the place in a group that the person has, as enrolment knows it."""
        return date.fromisoformat(self.row["seated"]) if _sits(self.row) else None

    @property
    def step(self) -> str:
        """The next step, by the word that the page has a sentence for."""
        person, row = self.person, self.row
        if person.status is Status.INTERVIEWED:
            return "decide" if person.consents.get("participation", {}).get("given") else "consent"
        if person.status is not Status.ADMITTED:
            return NEXT.get(person.status, "none")
        if person.profile is None:
            return "profile"
        return "sits" if _sits(row) else "waits"


def _sits(row: dict[str, Any]) -> bool:
    """True for a person who got a seat, and did not give it up later."""
    return bool(row.get("seated")) and str(row.get("left") or "") <= str(row["seated"])


@router.get("/persone/{worker}")
async def sheet(
    worker: Id,
    request: Request,
    run: Run,
    read: Reader,
    who: Operator,
    fatto: Annotated[str, Query(pattern="^[a-z]{0,20}$")] = "",
) -> Response:
    """The sheet of one person. The read is in their log of accesses. 404 no-such-worker · 410 erased."""
    person = await _person(run, worker)
    if person.into is not None:
        return RedirectResponse(f"/persone/{person.into}", 303)
    row = await read.row("desk", worker)
    records = [worker, *person.absorbed]
    rows = await read.page("history", {"worker": {"$in": records}}, ["-at"], limit=EVENTS)
    acts = await run.query(queries.read_acts, records)
    parts = await gather(
        request,
        seat=f"/grouping/frammenti/posto?worker={worker}",
        messages=f"/notifications/frammenti/messaggi?worker={worker}",
        requests=f"/enrolment/frammenti/richieste?worker={worker}",
        outcomes=f"/enrolment/frammenti/esiti?worker={worker}",
    )
    language = language_of(request, LANGUAGES)
    slots = {each.id: forms.slot_of(each, FRAME, language) for each in read.rules.slots}
    events = [queries.done_by(_dated(each), acts) for each in rows]
    return FRAME.page(
        request, "people/sheet.html", who=who, rules=read.rules, sheet=Sheet(person, row or {}, events),
        parts_of=parts, words=wording, done=wording.DONE.get(fatto), code=code_of(worker), slots=slots, most=EVENTS,
        enrolled=person.status in ENROLLED,
        questions=questions, sendable=_sendable(person),
    )  # fmt: skip


def _dated(row: dict[str, Any]) -> dict[str, Any]:
    """The row with its days as days: they are stored as text."""
    return {**row, "since": date.fromisoformat(row["since"])} if row.get("since") else row


def _sendable(person: Person) -> bool:
    """True when a message reaches the person: an address is known, and they consent to take part and to be contacted."""
    consents = all(person.consents.get(each, {}).get("given") for each in ("participation", "contact"))
    return consents and bool({"email", "phone"} & person.card.keys())


async def _person(run: Runner, worker: str) -> Person:
    person = await run.query(read_person, worker)
    if person.status is Status.ERASED:
        raise Refused("erased", f"Person {worker} was erased.", Refusal.GONE)
    return person


def _add(deed: Deed) -> None:
    """Add the two routes of a decision: its form, and what is done with it."""
    address = f"/persone/{{worker}}/{deed.name}"

    @router.get(address, name=f"ask_{deed.name}", description=deed.description)
    async def ask(worker: Id, request: Request, run: Run, who: Operator) -> Response:
        person = await _person(run, worker)
        form = _offered(request, run, deed.form.empty(**deed.before(person, run.rules)))
        return _form(request, run, who, deed, person, form)

    @router.post(address, name=f"do_{deed.name}", description=deed.description)
    async def act(worker: Id, request: Request, run: Run, who: Operator) -> Response:
        person = await _person(run, worker)
        form = _offered(request, run, await deed.form.filled(request))
        body = deed.checked(form) if form.step != "change" else None
        if body is None or (deed.checks and form.step != "done"):
            return _form(request, run, who, deed, person, form, checks=body is not None)
        runner = run.once(form.key)
        runner = runner.seen(form.values["seen"]) if deed.replaces else runner
        status = await _done(runner, deed, deed.command(worker, body, run.rules), form)
        if status is not None:
            if "seen" in form.values:
                form.values["seen"] = str(person.version)
            return _form(request, run, who, deed, person, form, status=status)
        return RedirectResponse(f"/persone/{worker}?fatto={deed.name}", 303)


async def _done(run: Runner, deed: Deed, command: Any, form: Filled) -> int | None:
    """Run the command. None when it is done; else the status of the page, and the reason is in the form."""
    try:
        await run(deed.handler, command, edits=(Worker, command.worker))
    except Unavailable as away:
        form.refuse(Refused("unavailable", away.detail))
        return 503
    except Refused as refused:
        field = AT.get(refused.code, "")
        form.refuse(refused, field if field in form.form.fields else "")
        return STATUS[refused.kind]
    return None


def _offered(request: Request, run: Runner, form: Filled) -> Filled:
    language = language_of(request, LANGUAGES)
    return steps.offered(forms.offered(form, run.rules, FRAME, language), run.rules, FRAME, language)


def _form(
    request: Request,
    run: Runner,
    who: Who,
    deed: Deed,
    person: Person,
    form: Filled,
    *,
    checks: bool = False,
    status: int = 200,
) -> Response:
    """The page of a decision: its form, the answers to check, or why it is not possible now."""
    shown = Sheet(person, {}, [])
    barred = deed.barred(person) if not form.errors else None
    checks = checks and barred is None
    answers = list(forms.answers(form, FRAME, language_of(request, LANGUAGES))) if checks else []
    return FRAME.page(
        request, "people/check.html" if checks else "people/deed.html", who=who, rules=run.rules, deed=deed, form=form, sheet=shown,
        code=code_of(person.worker), barred=barred, sentence=SENTENCES.get(barred or ""), answers=answers, words=wording,
        status=status,
    )  # fmt: skip


for _deed in DEEDS:
    _add(_deed)


def sending(issue: Any) -> APIRouter:
    """The route by which the link to somebody's own page is sent. `issue`: the handler of the command and its class, which another slice
    has; the composition gives them."""
    links = page_router(FRAME)
    handler, command = issue

    @links.post("/persone/{worker}/collegamento")
    async def send(worker: Id, request: Request, run: Run, who: Operator) -> Response:
        """Send the person the link to their own page, in place of an earlier one. 409 no-address, no-contact · 410 erased."""
        await _person(run, worker)
        await run(handler, command(worker=worker))
        return RedirectResponse(f"/persone/{worker}?fatto={SENT}", 303)

    return links
