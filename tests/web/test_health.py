"""A process says that it is alive, and whether what it needs answers."""

import httpx
import pytest
from fastapi import FastAPI

from services import web
from services.identity.route_access import check_protected
from tests.helpers.serving import client_of


class Specimen:
    """A service as far as health sees it."""

    name = "specimen"

    def __init__(self) -> None:
        self.missing: dict[str, str] = {}

    async def ready(self) -> dict[str, str]:
        return self.missing


@pytest.fixture
def service() -> Specimen:
    return Specimen()


def application(service: Specimen) -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None)
    app.include_router(web.health(service))
    web.install(app)
    check_protected(app)
    return app


async def test_it_is_alive_and_ready(service: Specimen) -> None:
    async with client_of(application(service)) as client:
        assert [(await client.get(path)).status_code for path in ("/healthz", "/readyz")] == [200, 200]


async def test_what_does_not_answer_is_named_and_the_process_is_alive_all_the_same(service: Specimen) -> None:
    service.missing = {"Kafka": "does not answer"}
    async with client_of(application(service)) as client:
        assert (await client.get("/healthz")).status_code == 200
        answer: httpx.Response = await client.get("/readyz")
    assert (answer.status_code, answer.json()["code"], answer.json()["detail"]) == (
        503,
        "not-ready",
        "Kafka: does not answer",
    )
    assert answer.headers["retry-after"]
