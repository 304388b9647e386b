"""Documents about pages, and texts that no page could be sent with."""

import json

import pytest
from fastapi import APIRouter
from starlette.responses import HTMLResponse

from services.identity.auth import open_to_all
from services.web.pages import pretty
from tests.helpers import specimen
from tests.helpers.serving import settings_for
from tests.web.framed import framed

SETTINGS = settings_for("http://127.0.0.1:1/issuer")
HALF = "half \ud800 of a pair"


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
    assert b"half \\ud800" in framed({"shown.html": "{{ shown }}"}).html("en", "shown.html", shown=HALF).encode()
