"""Whatever is sent to a service's routes, it answers as its OpenAPI says, and never with a server error."""

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from schemathesis.core.failures import FailureGroup

from services.identity.auth import open_to_all
from tests.helpers import specimen
from tests.helpers.serving import Served, served, settings_for
from tests.web.fuzz import fuzz

MEANT = {"/away", "/defect/{link}"}  # routes of the specimen that fail on purpose


@pytest.mark.explore
async def test_no_generated_request_is_a_server_error_or_answered_otherwise_than_described(
    client: httpx.AsyncClient, operator: dict[str, str]
) -> None:
    document: dict[str, Any] = (await client.get("/openapi.json")).json()
    for path in MEANT:
        del document["paths"][path]
    assert await asyncio.to_thread(fuzz, str(client.base_url), document, operator) == len(document["paths"])


async def test_a_planted_server_error_is_found(issuer: Served) -> None:
    router = APIRouter(dependencies=[open_to_all("to be found")])

    @router.get("/numbers/{number}")
    async def number(number: int) -> float:
        return 1 / (number - number)

    app = specimen.build(settings_for(issuer.url), router)
    document = {**app.openapi(), "paths": {"/numbers/{number}": app.openapi()["paths"]["/numbers/{number}"]}}
    async with served(app) as base:
        with pytest.raises(FailureGroup):
            await asyncio.to_thread(fuzz, base, document, {}, 5)
