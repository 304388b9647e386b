"""A page that shows every macro of the frame in every state, for tests alone."""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from fastapi import FastAPI, Request, Response

from services import web
from services.identity.auth import Role, Who, allowed, open_to_all
from services.kernel import Refused
from services.programmes import load_all
from services.web.contract_pages import ContractPage, operations
from services.web.frame import Field, Filled, Form, Kind, page_router, statements, static
from services.web.frame.fragments import Fragment
from tests.helpers import specimen
from tests.helpers.serving import settings_for
from tests.web.framed import framed

LONG = "Un testo molto lungo, con una parolachenonfiniscemaiepoimaiepoimaiepoimaiepoimaiepoimai, come ne scrivono le persone"
KINDS = [kind for kind in Kind if kind is not Kind.HIDDEN]
FORM = Form(
    *(
        Field(
            f"{kind}",
            f"{kind} {LONG}" if kind is Kind.TEXT else f"Campo {kind}",
            kind=kind,
            hint="Per esempio così" if n % 2 else None,
            why="to call the person by name" if n % 3 == 0 else None,
            needed=n % 4 != 0,
        )
        for n, kind in enumerate(KINDS)
    ),
    Field("nothing", "Niente da scegliere", kind=Kind.RADIOS),
    Field("secret", "Nascosto", kind=Kind.HIDDEN),
)
OPTIONS = {"a": "Lunedì sera", "b": LONG, "c": "<b>Mercoledì</b>"}
PAGE = """
{% extends "frame/page.html" %}{% import "frame/parts.html" as parts %}
{% block title %}Componenti{% endblock %}
{% block main %}
{% if state == "confirmed" %}{{ parts.confirmation("Segnalazione inviata", "S-2026-17", "Entro l'8 dicembre qualcuno telefona.") }}
{% else %}
<h1>Componenti, {{ state }}</h1>
{{ parts.summary(form) }}
{% for kind in ("success", "warning", "danger", "info") %}{{ parts.notice("Salvato.", kind) }}{% endfor %}
<p>{% for kind in ("plain", "good", "warning", "danger") %}{{ parts.tag("in attesa", kind) }} {% endfor %}</p>
<form method="post" novalidate>
{% for name in form.form.fields %}{{ parts.field(form, name) }}{% endfor %}
{{ parts.once_key(form) }}{{ parts.submit("Next page") }} {{ parts.submit("Previous page", "change", "outline-primary") }}
</form>
<form method="post">{{ parts.carried(form) }}
{{ parts.answers([("Nome", long), ("Quando", ["lunedì", "martedì"]|listed), ("Altro", "")]) }}
{{ parts.submit("Next page", "done") }}</form>
{% call parts.table("Persone in attesa", ["Nome", "Da quando", "Quante"]) %}
{% for n in range(3) %}
<tr>{{ parts.cell("Nome", long if n == 1 else "Ada", row=true) }}{{ parts.cell("Da quando", n|days_ago) }}
{{ parts.cell("Quante", (n * 1234.5)|number, number=true) }}</tr>{% endfor %}
{% endcall %}
{{ parts.pager(2, 3, 51, "/persone?nome=rossi&") }}{{ parts.pager(1, 1, 1, "/persone?") }}
{{ parts.empty("Niente da fare qui.", "Prossimo: un incontro lunedì.") }}
{{ part(there, "") }}{{ part(none, "I nomi ora non sono disponibili.") }}
<p>{{ when|moment }}</p>
{% endif %}
{% endblock %}
"""


def _form(state: str) -> Filled:
    form = FORM.empty(
        **{kind: LONG for kind in KINDS if kind not in (Kind.CHECKBOXES, Kind.RADIOS, Kind.SELECT)},
        select="a",
        radios="b",
    )
    form.values["checkboxes"] = ["b"]
    for name in (Kind.RADIOS, Kind.SELECT, Kind.CHECKBOXES):
        form.offer(name, OPTIONS)
    if state == "wrong":
        for each in (*KINDS, "nothing"):
            form.wrong(each, "Fill in: %(label)s")
        form.refuse(Refused("changed-meanwhile", ""))
    return form


def build(name: str | None = "Anna Prova", role: Role = Role.OPERATOR, statement: Path | None = None) -> FastAPI:
    """An application with the page in each state, and the static files."""
    frame = framed({"components.html": PAGE})
    pages = page_router(frame)
    shown: dict[str, Any] = {"there": Fragment("<p>I nomi</p>"), "none": None, "long": LONG}

    @pages.get("/persone/{state}", dependencies=[open_to_all("a test")])
    async def components(request: Request, state: str) -> Response:
        who = None if name is None else Who(role, "x", "jobs2")
        return frame.page(
            request,
            "components.html",
            who=who,
            form=_form(state),
            state=state,
            when=datetime(2026, 11, 16, 17, 30, tzinfo=UTC),
            **shown,
        )

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    settings = SimpleNamespace(contact="accesso@example.org", accessibility=statement, programmes=None)
    app.router.routes.extend([*static.routes(), *statements.routes(settings, load_all(None))])
    document = specimen.build(settings_for("http://127.0.0.1:1/issuer")).openapi()
    contract = ContractPage("openapi.html", lambda: operations(document))

    @pages.get("/me/docs", dependencies=[open_to_all("a test")])
    async def docs(request: Request) -> Response:
        return contract.answer(request)

    @pages.post("/me", dependencies=[allowed(Role.WORKER, own={Role.WORKER: "theirs"})])
    async def mine() -> Response:
        return Response()

    app.include_router(pages)
    web.install_outside(app)
    return app
