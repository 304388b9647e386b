"""The pages about contracts: in the frame, whole, with every operation and message; whatever a document holds is shown as text."""

import re
from typing import Annotated, Any

import pytest
from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request

from services.contracts import asyncapi
from services.contracts.topics import SERVICES
from services.identity.auth import Role, Who, allowed
from services.web.contract_pages import FRAME, events, operations
from tests.helpers import specimen
from tests.helpers.serving import settings_for
from tests.web.outline import Outline

SETTINGS = settings_for("http://127.0.0.1:1/issuer")


def shown(template: str, values: dict[str, Any]) -> str:
    asked = {"type": "http", "method": "GET", "path": "/enrolment/docs", "query_string": b"", "headers": []}
    return FRAME.body(Request({**asked, "server": ("site", 80), "scheme": "http"}), template, **values)


def of(service: str) -> dict[str, Any]:
    consumed = asyncapi.readable_by(service)
    return asyncapi.document(service, asyncapi.published_by(service), consumed, bootstrap="kafka.example:9092")


@pytest.mark.parametrize("service", SERVICES)
def test_the_page_of_events_is_whole_shows_every_message_and_loads_nothing_from_elsewhere(service: str) -> None:
    body = of(service)
    html = shown("asyncapi.html", events(body))
    outline = Outline(html)
    assert outline.open == []
    assert all(each.startswith("/static/") for each in outline.loads)
    assert set(outline.ids) >= set(body["components"]["messages"])
    inside = [link[1:] for link in outline.links if link.startswith("#")]
    assert set(inside) <= set(outline.ids)
    assert len(inside) > 3
    assert "width=device-width" in html


def test_the_page_of_events_shows_markup_in_a_document_as_text() -> None:
    body = of("grouping")
    body["info"]["description"] = "<script>alert(1)</script>"
    html = shown("asyncapi.html", events(body))
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_the_page_of_events_tells_a_restricted_type_from_an_open_one() -> None:
    html = shown("asyncapi.html", events(of("sessions")))
    article = html.split('id="it.amalavoro.sessions.survey.scored.v1"')[1].split("</article>")[0]
    assert "restricted" in article
    assert "Read by sessions, analytics" in article
    assert "scores" in article


def test_every_operation_is_there_with_its_roles_its_fields_and_its_answers() -> None:
    html = shown("openapi.html", operations(specimen.build(SETTINGS).openapi()))
    for text in (
        "POST /referrals",
        "operator, referrer",
        "person.name",
        "everybody: a form behind a signed personal link",
        "412: ",
    ):
        assert text in html
    assert not re.search("<script|://", html)


def test_what_a_document_of_operations_holds_is_never_markup_and_what_contains_itself_ends() -> None:
    class Tree(BaseModel):
        name: str
        branches: list["Tree"] = []

    router = APIRouter()

    @router.post("/trees", summary="<b>bold</b>", response_model=Tree)
    async def plant(tree: Tree, who: Annotated[Who, allowed(Role.OPERATOR)]) -> Tree:
        return tree

    html = shown("openapi.html", operations(specimen.build(SETTINGS, router).openapi()))
    assert "&lt;b&gt;bold&lt;/b&gt;" in html
    assert "<b>" not in html
