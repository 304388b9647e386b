"""Statements that a public site owes its readers: accessibility (the model of AgID), privacy by programme and version, cookies.

Invariants: an accessibility statement is shown only once somebody has checked and signed it, as a file; without it the page says so. A
version of a privacy notice that people have read stays at its own address.
"""

import re
import tomllib
from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from services.programmes import Programme
from services.programmes.model import Notice
from services.settings import Misconfigured, text_of
from services.web.frame.frame import Frame
from services.web.frame.routing import caller_of
from services.web.frame.texts import LANGUAGES

FRAME = Frame()
Sentence = Annotated[str, Field(min_length=1, max_length=500)]


class Accessibility(BaseModel):
    """An accessibility statement: what `ama accessibility statement` drafts, and somebody completes and signs."""

    model_config = ConfigDict(extra="forbid")
    publisher: Sentence
    conformance: Literal["full", "partial", "none"]
    written: date
    reviewed: date
    method: Literal["self-assessment", "third-party"] = "self-assessment"
    not_accessible: dict[str, list[Sentence]] = Field(default_factory=dict, description="by language")
    contact: Sentence | None = None
    published: date
    tested_with_people: bool = False


class Told(Protocol):
    """The settings that the statements need."""

    contact: str | None
    accessibility: Path | None
    programmes: Path | None


def statement_of(path: Path) -> Accessibility:
    """Read the file of an accessibility statement. Misconfigured, one sentence, when it is not one."""
    try:
        return Accessibility.model_validate(tomllib.loads(text_of(path)))
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(f"{path} is not TOML: {error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise Misconfigured(f"{path}: {place}: {first['msg'].lower()}.") from error


def routes(settings: Told, programmes: Mapping[str, Programme]) -> list[BaseRoute]:
    """List the routes of the statements. `programmes`: those that the site serves. Misconfigured when the file of the accessibility
    statement is wrong."""
    statement = statement_of(settings.accessibility) if settings.accessibility is not None else None

    async def accessibility(request: Request) -> Response:
        contact = (statement.contact if statement else None) or settings.contact
        who = await caller_of(request)
        return FRAME.page(request, "frame/accessibility.html", who=who, statement=statement, contact=contact)

    async def cookies(request: Request) -> Response:
        return FRAME.page(request, "frame/cookies.html", who=await caller_of(request))

    async def notices(request: Request) -> Response:
        if len(programmes) == 1:
            return RedirectResponse(f"/privacy/{next(iter(programmes))}", 303)
        return FRAME.page(request, "frame/notices.html", who=await caller_of(request), programmes=programmes)

    async def notice(request: Request) -> Response:
        programme = programmes.get(request.path_params["programme"])
        version = request.path_params.get("version", programme.notice.version if programme else "")
        found = programme.notice_of(version) if programme else None
        if programme is None or found is None:
            return FRAME.refusal(request, 404, "not-found", await caller_of(request))
        wording = _wording(settings.programmes, programme.id, found, FRAME.language(request))
        given: dict[str, Any] = {
            "programme": programme,
            "notice": found,
            "wording": wording,
            "contact": settings.contact,
        }
        return FRAME.page(request, "frame/notice.html", who=await caller_of(request), rules=programme, **given)

    pages: dict[str, Callable[[Request], Awaitable[Response]]] = {
        "/accessibilita": accessibility,
        "/cookie": cookies,
        "/privacy": notices,
        "/privacy/{programme}": notice,
        "/privacy/{programme}/{version}": notice,
    }
    return [Route(address, page, methods=["GET"]) for address, page in pages.items()]


def _wording(folder: Path | None, programme: str, notice: Notice, language: str) -> tuple[str, list[str]] | None:
    """Read the controller's own wording of a notice, `notices/{programme}-{version}.{language}.txt` in the folder of the programmes: its
    language and paragraphs. Another language of it goes before our general wording, since it is what people were given."""
    if folder is None:
        return None
    for each in dict.fromkeys([language, *notice.languages, *LANGUAGES]):
        path = folder / "notices" / f"{programme}-{notice.version}.{each}.txt"
        if path.is_file():
            return each, [found.strip() for found in re.split(r"\n\s*\n", text_of(path)) if found.strip()]
    return None
