"""A service answers at its pages' addresses at the root of the site as well as under its own name, and nowhere else."""

import httpx
from fastapi import FastAPI
from starlette.applications import Starlette

from services.identity.auth import open_to_all
from services.runtime.serving import _places


def room(name: str) -> FastAPI:
    app = FastAPI()

    @app.get("/{path:path}", dependencies=[open_to_all("a test")])
    async def anything(path: str) -> str:
        return f"{name}: {path}"

    return app


async def test_the_pages_of_a_service_are_at_the_root_and_its_routes_under_its_name() -> None:
    site = Starlette(routes=[place for name in ("enrolment", "sessions") for place in _places(name, room(name))])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url="http://site") as client:
        found = {
            path: await client.get(path)
            for path in (
                "/persone",
                "/persone/1/dati",
                "/gruppo/g1",
                "/enrolment/workers/1",
                "/persone2",
                "/gruppi",
                "/workers/1",
            )
        }
    assert {path: answer.json() for path, answer in found.items() if answer.status_code == 200} == {
        "/persone": "enrolment: persone",
        "/persone/1/dati": "enrolment: persone/1/dati",
        "/gruppo/g1": "sessions: gruppo/g1",
        "/enrolment/workers/1": "enrolment: workers/1",
    }
    assert {path for path, answer in found.items() if answer.status_code == 404} == {
        "/persone2",
        "/gruppi",
        "/workers/1",
    }
