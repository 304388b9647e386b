"""A tiny service with pages, as a room has them."""

from pathlib import Path
from typing import Annotated

import httpx
from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from jinja2 import ChoiceLoader, DictLoader
from pydantic import Field as Limited

from services import web
from services.identity.auth import Role, Who, allowed, open_to_all
from services.identity.route_access import check_protected
from services.kernel import Refusal, Refused
from services.web import Body, Line, Unavailable
from services.web.frame import Field, Form, Frame, Kind, page_router
from services.web.frame.texts import N_
from tests.helpers.callers import client_as

SENTENCES = {"group-full": N_("The group has %(size)d people already.")}
TEMPLATES = {
    "people.html": '{% extends "frame/page.html" %}{% block title %}{{ _("People") }}{% endblock %}'
    '{% block main %}<h1>{{ _("People") }}</h1><p id="shown">{{ shown }}</p>{% endblock %}',
    "form.html": '{% extends "frame/page.html" %}{% import "frame/parts.html" as parts %}'
    '{% block title %}{{ _("People") }}{% endblock %}{% block main %}<h1>{{ _("People") }}</h1>{{ parts.summary(form) }}'
    '<form method="post" novalidate>{{ parts.once_key(form) }}{% for name in form.form.fields %}{{ parts.field(form, name) }}'
    '{% endfor %}{{ parts.submit("Next page") }}</form>{% endblock %}',
}
FORM = Form(
    Field("name", "People", hint="Today", autocomplete="name"),
    Field("born", "Number", kind=Kind.NUMBER, needed=False),
    Field("slots", "Meetings", kind=Kind.CHECKBOXES),
    Field("since", "Today", kind=Kind.DAY, needed=False),
)


class Person(Body):
    """The model of the form."""

    name: Line
    born: int | None = Limited(default=None, ge=1900)
    slots: list[str] = Limited(min_length=1)
    since: str | None = None


def framed(templates: dict[str, str] = TEMPLATES) -> Frame:
    """A frame with these templates beside its own."""
    frame = Frame(refusals=SENTENCES)
    for environment in frame._environments.values():
        assert environment.loader is not None
        environment.loader = ChoiceLoader([DictLoader(templates), environment.loader])
    return frame


def build() -> FastAPI:  # noqa: C901  # one route after the other
    frame = framed()
    pages = page_router(frame)

    @pages.get("/persone")
    async def people(request: Request, who: Annotated[Who, allowed(Role.OPERATOR)], shown: str = "") -> Response:
        """List people, with the text of the address."""
        return frame.page(request, "people.html", who=who, shown=shown)

    @pages.get("/persone/nuova")
    async def new(request: Request, who: Annotated[Who, allowed(Role.OPERATOR)]) -> Response:
        """Show the form of a person."""
        form = FORM.empty(name="Ada")
        form.offer("slots", {"mon": "lunedì <sera>", "tue": "martedì"})
        return frame.page(request, "form.html", who=who, form=form)

    @pages.post("/persone/nuova")
    async def added(request: Request, who: Annotated[Who, allowed(Role.OPERATOR)]) -> Response:
        """Take the form of a person."""
        form = await FORM.filled(request)
        form.offer("slots", {"mon": "lunedì <sera>", "tue": "martedì"})
        if (person := form.checked(Person)) is not None and person.name == "full":
            form.refuse(Refused("group-full", "It is full.", size=15), field="name")
        if person is None or form.errors:
            return frame.page(request, "form.html", who=who, form=form)
        assert await request.body()
        return RedirectResponse("/persone", 303)

    @pages.get("/persone/rifiuta/{kind}")
    async def refuses(request: Request, kind: str, who: Annotated[Who, allowed(Role.OPERATOR)]) -> Response:
        """Refuse in each way."""
        if kind == "away":
            raise Unavailable("The database does not answer.", after=7)
        if kind == "defect":
            raise RuntimeError("Ada Lovelace lives in via Roma 1")
        if kind == "full":
            raise Refused("group-full", "It is full.", size=15)
        if kind == "silent":
            raise Refused("nobody-wrote-a-sentence", "Worker w1 is not it.")
        raise Refused("no-such-worker", "There is no worker w9.", Refusal.NOT_FOUND)

    @pages.get("/questionario", dependencies=[open_to_all("a public page")])
    async def public(request: Request) -> Response:
        """A page for everybody."""
        return frame.page(request, "people.html", shown="<b>")

    @pages.get("/workers", dependencies=[allowed(Role.OPERATOR)])
    async def programs(request: Request) -> Response:
        """Refuse a program that asks."""
        raise Refused("group-full", "It is full.", size=15)

    app = FastAPI(title="framed", docs_url=None, redoc_url=None)
    app.include_router(pages)
    app.state.auth = None
    web.install(app)
    check_protected(app)
    return app


def pages_client(role: Role = Role.OPERATOR) -> httpx.AsyncClient:
    """A client of the tiny service whose token is accepted."""
    return client_as(build(), role, "jobs2")


LOCALE = Path(__file__).parents[2] / "services" / "web" / "frame" / "locale"
