"""A smoke test without some services reports them at once and by name."""

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from services import programmes
from services.identity.issuer import Issuer
from services.scenarios.client import ScenarioClient, ScenarioFailed
from services.scenarios.smoke import PROGRAMME, smoke
from tests.helpers.serving import served

AWAY = {"grouping", "analytics"}


async def _door(request: Request) -> JSONResponse:
    """As the front answers where some services do not run."""
    return JSONResponse({}, 503 if request.path_params["service"] in AWAY else 200)


async def test_services_that_do_not_answer_are_named_before_anything_is_tried(tmp_path: Path) -> None:
    async with served(Starlette(routes=[Route("/{service}/{rest:path}", _door)])) as base:
        issuer = Issuer(tmp_path, f"{base}/issuer")

        def token(role: str, subject: str, partner: str | None) -> str:
            return issuer.token(role, PROGRAMME, subject, partner)

        async with ScenarioClient(base, token, programmes.load_all()[PROGRAMME], 1, lambda *_: None) as stage:
            with pytest.raises(ScenarioFailed, match=r"^no answer from grouping, analytics$"):
                await smoke(stage, pytest.fail)
