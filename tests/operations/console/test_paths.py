"""Whatever a browser puts into the address of a dead letter, the console asks a service for a dead letter and for nothing else."""

import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.helpers.serving import Asked, served
from tests.operations.console.standalone import Desk, desk  # language: kept (a helper)

ASTRAY = [
    "enrolment/%2e%2e",
    "enrolment/%2e%2e/%2e%2e/workers",
    "enrolment/reactions/%2e%2e/%2e%2e/state",
    "enrolment/reactions/..%2f..%2fstate",
    "enrolment/reactions%2f%2e%2e%2f%2e%2e%2fstate",
    "enrolment/reactions/.",
    "enrolment/reactions//x",
    "enrolment/reactions",
    "enrolment/",
    "%2e%2e/enrolment/x",
    "nowhere/reactions/x",
]
KEPT = [
    "reactions/a%3Fb=c",
    "reactions/a%23b",
    "reactions/%252e%252e/x",
    "reactions/ama.enrolment/0/15-abc",
    "reactions/a%5Cb",
]


class Recorder:
    """The five services, which answer every request and note its raw path."""

    def __init__(self) -> None:
        self.paths = list[str]()

    def app(self) -> Asked:
        async def anything(request: Request) -> Response:
            self.paths.append(request.scope["raw_path"].decode())
            return JSONResponse({"detail": "found something", "held": False}, 409)

        return Asked(Starlette(routes=[Route("/{path:path}", anything, methods=["GET", "POST"])]))


async def csrf_of(one: Desk) -> str:
    page = (await one.client.get("/console/dead/enrolment/reactions/x")).text
    return str(re.findall(r'name="csrf" value="([^"]+)"', page)[0])


@pytest.mark.parametrize("astray", ASTRAY)
async def test_a_path_that_leads_elsewhere_reaches_no_service(tmp_path: Path, astray: str) -> None:
    recorder = Recorder()
    async with served(recorder.app()) as base, desk(tmp_path, services=f"{base}/{{service}}") as one:
        await one.sign_in()
        csrf = await csrf_of(one)
        recorder.paths.clear()
        address = f"{one.base}/console/dead/{astray}"
        for method in ("GET", "POST"):
            # A raw path: httpx itself would resolve the dots.
            request = one.client.build_request(method, address, data={"csrf": csrf, "what": "redrive"})
            request.url = request.url.copy_with(raw_path=f"/console/dead/{astray}".encode())
            answer = await one.client.send(request)
            assert answer.status_code == 404, method
        assert recorder.paths == []


@pytest.mark.parametrize("id", KEPT)
async def test_a_strange_id_stays_one_id(tmp_path: Path, id: str) -> None:
    recorder = Recorder()
    async with served(recorder.app()) as base, desk(tmp_path, services=f"{base}/{{service}}") as one:
        await one.sign_in()
        csrf = await csrf_of(one)
        recorder.paths.clear()
        answer = await one.client.post(f"/console/dead/grouping/{id}", data={"csrf": csrf, "what": "redrive"})
        assert answer.headers["location"] == f"/console/dead/grouping/{id.replace('=', '%3D')}"
        assert recorder.paths == [f"/grouping/ops/dead/{id.replace('=', '%3D')}/redrive"]
