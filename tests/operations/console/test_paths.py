"""Whatever a browser puts into the address of a dead letter, the console asks a service for a dead letter and for nothing else."""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.helpers.serving import Asked, served
from tests.operations.console.standalone import desk  # language: kept (a helper)

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


@pytest.mark.parametrize("astray", ASTRAY)
async def test_a_path_that_leads_elsewhere_reaches_no_service(astray: str) -> None:
    recorder = Recorder()
    async with served(recorder.app()) as base, desk(f"{base}/{{service}}") as one:
        address = f"{one.base}/console/dead/{astray}"
        for method in ("GET", "POST"):
            # A raw path: httpx itself would resolve the dots.
            request = one.client.build_request(method, address, data={"what": "redrive"})
            request.url = request.url.copy_with(raw_path=f"/console/dead/{astray}".encode())
            answer = await one.client.send(request)
            assert answer.status_code == 404, method
        assert recorder.paths == []


@pytest.mark.parametrize("id", KEPT)
async def test_a_strange_id_stays_one_id(id: str) -> None:
    recorder = Recorder()
    async with served(recorder.app()) as base, desk(f"{base}/{{service}}") as one:
        await one.client.post(f"/console/dead/grouping/{id}", data={"what": "redrive"})
        assert recorder.paths[0] == f"/grouping/ops/dead/{id.replace('=', '%3D')}/redrive"
        assert set(recorder.paths[1:]) == {f"/grouping/ops/dead/{id.replace('=', '%3D')}"}, (
            "shown again, with the refusal"
        )
