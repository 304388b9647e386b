"""The page that describes a service says who may call what, and shows whatever it holds as text."""

import json
from typing import Annotated

import pytest
from fastapi import APIRouter
from jinja2 import DictLoader
from pydantic import BaseModel
from starlette.responses import HTMLResponse

from services.identity.auth import Role, Who, allowed, open_to_all
from services.web.openapi_page import page
from services.web.pages import pretty
from services.web.site import Site
from tests.helpers import specimen
from tests.helpers.serving import settings_for

SETTINGS = settings_for("http://127.0.0.1:1/issuer")
HALF = "half \ud800 of a pair"


def test_every_operation_is_there_with_its_roles_its_fields_and_its_answers() -> None:
    html = page(specimen.build(SETTINGS).openapi())
    for text in (
        "POST /referrals",
        "operator, referrer",
        "person.name",
        "everybody: a form behind a signed personal link",
        "412: ",
    ):
        assert text in html
    assert "<script" not in html
    assert "://" not in html


def test_what_a_document_holds_is_never_markup_and_what_contains_itself_ends() -> None:
    class Tree(BaseModel):
        name: str
        branches: list["Tree"] = []

    router = APIRouter()

    @router.post("/trees", summary="<b>bold</b>", response_model=Tree)
    async def plant(tree: Tree, who: Annotated[Who, allowed(Role.OPERATOR)]) -> Tree:
        return tree

    html = page(specimen.build(SETTINGS, router).openapi())
    assert "&lt;b&gt;bold&lt;/b&gt;" in html
    assert "<b>" not in html


def test_a_page_that_describes_its_own_errors_may_still_answer_with_a_problem() -> None:
    router = APIRouter(dependencies=[open_to_all("a personal link")])

    @router.get(
        "/s/{token}",
        response_class=HTMLResponse,
        responses={404: {"description": "A page", "content": {"text/html": {}}}},
    )
    async def show(token: str) -> HTMLResponse:
        return HTMLResponse(token)

    answers = specimen.build(SETTINGS, router).openapi()["paths"]["/s/{token}"]["get"]["responses"]
    assert set(answers["404"]["content"]) == {"text/html", "application/problem+json"}
    assert "Retry-After" in answers["503"]["headers"]


@pytest.mark.parametrize("record", [json.dumps({"subject": HALF}), f"no JSON {HALF}", json.dumps(HALF)])
def test_a_record_with_half_a_surrogate_pair_is_shown_with_its_escape(record: str) -> None:
    assert b"half \\ud800 of a pair" in pretty(record).encode()


def test_a_page_can_be_sent_whatever_it_shows() -> None:
    site = Site("services.operations.console", {"en": "English"}, {"en": {}})
    site._templates = site._templates.overlay(loader=DictLoader({"page": "{{ shown }} {{ record|pretty }}"}))
    assert b"half \\ud800" in site.part("page", "en", shown=HALF, record=json.dumps(HALF)).encode()
