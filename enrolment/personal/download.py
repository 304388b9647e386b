"""The worker's data to take away: as JSON for a program, and as a page to read and print.

Invariant: what another service did not give in time is named in the file, so that nobody takes a part for the whole.
"""

from datetime import UTC, date, datetime
from typing import Any

import orjson
from fastapi import Request, Response

from enrolment.personal import queries
from enrolment.personal.pages import Myself, myself, siblings
from enrolment.personal.wording import (
    CONSENTS,
    FRAME,
    HISTORY,
    HOW,
    OTHER_READER,
    PARTS,
    READERS,
    STATUS,
    decided,
    identity,
    looked_at,
    profile,
)
from services.identity.auth import Who
from services.web.frame import fragments, page_router
from services.web.frame.texts import LANGUAGES
from services.web.pages import language_of
from services.web.run import Reader, Run, Serving

router = page_router(FRAME)
EVENTS, READS = 500, 2_000  # of one person, in the file
Taken = dict[str, Any]


@router.get("/me/scarica")
async def download(request: Request, run: Run, who: Myself) -> Response:
    """Say what is in the files, what is not, and whom to ask for the rest. 410 erased."""
    await myself(run, who)
    return FRAME.page(request, "download.html", who=who, rules=run.rules, office=run.rules.office)


@router.get("/me/scarica/dati.json")
async def as_json(request: Request, run: Run, read: Reader, who: Myself) -> Response:
    """The data as JSON, to keep. 410 erased."""
    taken = await _taken(request, run, read, who)
    found: queries.Me = taken.pop("me")
    taken["person"] = found.model_dump(mode="json", exclude={"version", "unreachable"})
    return _file(orjson.dumps(taken, option=orjson.OPT_INDENT_2), "application/json", "i-miei-dati.json")


@router.get("/me/scarica/dati.html")
async def as_page(request: Request, run: Run, read: Reader, who: Myself) -> Response:
    """The data as a page that can be read without this site. 410 erased."""
    taken, language = await _taken(request, run, read, who), language_of(request, LANGUAGES)
    me: queries.Me = taken["me"]
    logs = {name: each for name, each in taken["accesses"].items() if name != "enrolment"}
    own = [queries.Read.model_validate(each) for each in taken["accesses"]["enrolment"]]
    reads = queries.newest(own, logs, READS)
    page = FRAME.html(
        language, "taken.html", rules=run.rules, me=me, step=STATUS[me.status], identity=identity(me, language),
        profile=profile(me, run.rules, language), texts={purpose.value: text for purpose, (text, _) in CONSENTS.items()},
        decided=decided(me), how=HOW, made=taken["made"],
        history=[(each["at"], HISTORY.get(each["what"], each["what"]), _day(each.get("since"))) for each in taken["history"]],
        reads=[(each.at, READERS.get(each.role, OTHER_READER), looked_at(each.what)) for each in reads],
        surveys=_surveys(taken["surveys"]), missing=[FRAME.text(language, PARTS[each]) for each in taken["missing"]],
    )  # fmt: skip
    return _file(page.encode(), "text/html; charset=utf-8", "i-miei-dati.html")


async def _taken(request: Request, run: Run, read: Reader, who: Who) -> Taken:
    """Everything that enrolment has of the person, and what the other services tell them."""
    me = await myself(run, who)
    service: Serving = request.app.state.service
    rows = await read.page("history", {"worker": who.subject}, ("at",), limit=EVENTS)
    own = await queries.read_accesses(service.store, who.programme, who.subject, READS)
    logs = await siblings(request, who, "/workers/{worker}/accesses")
    more = await fragments.gather_json(request, surveys=f"/sessions/workers/{who.subject}/surveys")
    unanswered = sorted(
        {*(name for name, log in logs.items() if log is None), *(["sessions"] if more["surveys"] is None else [])}
    )
    return {
        "made": datetime.now(UTC),
        "programme": run.rules.title,
        "me": me,
        "history": [
            {name: each for name, each in row.items() if name not in {"_id", "programme", "person"}} for row in rows
        ],
        "surveys": more["surveys"],
        "accesses": {"enrolment": [each.model_dump(mode="json") for each in own], **logs},
        "missing": unanswered,
    }


def _surveys(found: list[Taken] | None) -> list[tuple[str, str, date]] | None:
    """Each questionnaire with its wave and the day for which it is."""
    return (
        None
        if found is None
        else [(each["instrument"], each["wave"], date.fromisoformat(each["due"])) for each in found]
    )


def _day(stored: str | None) -> date | None:
    return date.fromisoformat(stored) if stored else None


def _file(content: bytes, kind: str, name: str) -> Response:
    # Never kept by a browser that others use as well.
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=kind, headers=headers)
