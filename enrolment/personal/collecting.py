"""Everything that the five services hold of one person, collected with the caller's own token, and the files that are made of it.

Invariant: what a service did not give is named in every file, so that nobody takes a part for the whole.
"""

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import orjson
from fastapi import Request, Response

from enrolment.domain import Status
from enrolment.personal import queries
from enrolment.personal.held_words import HELD, held_as
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
from services.contracts.topics import SERVICES
from services.programmes import Programme
from services.runtime.held import tell
from services.web.frame import dates, fragments
from services.web.frame.texts import N_
from services.web.run import Run

OWN = "enrolment"
TRIES = 4  # of asking a service that does not answer in time
Taken = dict[str, Any]
NAME = "i-miei-dati"
READS = "chi-ha-visto-i-miei-dati.csv"
COLUMNS = (N_("When"), N_("Who"), N_("What"), N_("Service"))


async def collected(request: Request, run: Run, person: str) -> Taken:
    """Everything that each service holds, and the names of those that did not answer. Refused("no-such-worker", 404), ("erased", 410)."""
    own = await run.query(partial(tell, service=request.app.state.service), person)
    found: Taken = {OWN: own.model_dump(mode="json")}
    for _ in range(TRIES):
        missing = [each for each in SERVICES if each not in found]
        answers = await fragments.gather_json(request, **{each: f"/{each}/people/{person}/held" for each in missing})
        found |= {name: answer for name, answer in answers.items() if answer is not None}
    return {
        "made": datetime.now(UTC),
        "programme": run.rules.title,
        "person": person,
        "services": {each: found[each] for each in SERVICES if each in found},
        "missing": [each for each in SERVICES if each not in found],
    }


def bundle(taken: Taken, rules: Programme, language: str) -> Response:
    """One archive: the data for a program, the data to read, and who has seen them. Never kept by a browser that others use as well."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{NAME}.html", _page(taken, rules, language))
        archive.writestr(f"{NAME}.json", orjson.dumps(taken, option=orjson.OPT_INDENT_2))
        archive.writestr(READS, _sheet(taken, rules, language))
    headers = {"Content-Disposition": f'attachment; filename="{NAME}.zip"', "Cache-Control": "no-store"}
    return Response(packed.getvalue(), media_type="application/zip", headers=headers)


def _page(taken: Taken, rules: Programme, language: str) -> str:
    """The data as a page that can be read without this site: first in words, then all of it, service by service."""
    me = _me(taken)
    history = taken["services"][OWN]["read_models"].get("history", [])
    return FRAME.html(
        language, "taken.html", rules=rules, me=me, step=STATUS[me.status], identity=identity(me, language),
        profile=profile(me, rules, language), texts={purpose.value: text for purpose, (text, _) in CONSENTS.items()},
        decided=decided(me), how=HOW, made=taken["made"], held=HELD, services=taken["services"],
        history=[(_moment(each["at"]), HISTORY.get(each["what"], each["what"]), _day(each.get("since"))) for each in history],
        reads=[(at, who, what) for at, who, what, _ in _reads(taken)],
        surveys=_surveys(taken), missing=[FRAME.text(language, PARTS[each]) for each in taken["missing"]],
        name_of=held_as, parts={OWN: N_("your data, your consents and your way"), **PARTS},
    )  # fmt: skip


def _me(taken: Taken) -> queries.Me:
    """The person as the page of their data shows them, from what enrolment holds."""
    record = taken["services"][OWN]["records"]["worker"][0]
    shown = {name: record[name] for name in ("partner", "card", "profile", "sketch", "consents")}
    return queries.Me(worker=taken["person"], status=Status(record["status"]), version=0, unreachable=None, **shown)


def _reads(taken: Taken) -> Iterator[tuple[datetime, str, str, str]]:
    """Each read by somebody else, the newest first: when, who and what as English texts to translate, and the service."""
    every = [(name, each) for name, found in taken["services"].items() for each in found["accesses"]]
    for name, each in sorted(every, key=lambda read: _moment(read[1]["at"]), reverse=True):
        if each["role"] != "worker":
            yield _moment(each["at"]), READERS.get(each["role"], OTHER_READER), looked_at(each["what"]), name


def _sheet(taken: Taken, rules: Programme, language: str) -> bytes:
    """The reads as a CSV file; the mark at its beginning tells programs of tables that it is UTF-8."""
    written = io.StringIO()
    sheet = csv.writer(written, delimiter=";")
    sheet.writerow([FRAME.text(language, each) for each in COLUMNS])
    for at, who, what, service in _reads(taken):
        local = f"{rules.day_of(at)} {dates.time_of(at, language, rules.zone)}"
        sheet.writerow([local, FRAME.text(language, who), FRAME.text(language, what), service])
    return written.getvalue().encode("utf-8-sig")


def _surveys(taken: Taken) -> list[tuple[str, str, date]] | None:
    """Each questionnaire with its wave and the day for which it is; None when sessions did not answer."""
    if "sessions" not in taken["services"]:
        return None
    found = taken["services"]["sessions"]["records"].get("survey", [])
    return [(each["instrument"], each["wave"], date.fromisoformat(each["due"])) for each in found]


def _moment(stored: str) -> datetime:
    return datetime.fromisoformat(stored)


def _day(stored: str | None) -> date | None:
    return date.fromisoformat(stored) if stored else None
