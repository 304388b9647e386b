"""Requests are counted by how they ended, and health is not."""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from services import web
from services.telemetry import Metrics
from services.web.counting import Counted
from tests.helpers.serving import client_of


def application(metrics: Metrics) -> Starlette:
    """Answers with the status that is asked for."""

    async def answer(request: Request) -> PlainTextResponse:
        return PlainTextResponse("", int(request.path_params["status"]))

    async def fail(_: Request) -> PlainTextResponse:
        raise KeyError

    inside = Starlette(routes=[Route("/{status:int}", answer), Route("/healthz", fail), Route("/defect", fail)])
    inside.add_middleware(web.failures.Caught)
    inside.add_middleware(Counted, count=metrics.answered)
    return Starlette(routes=[Mount("/grouping", inside)])


def counted(metrics: Metrics, status: str) -> float | None:
    labels = {"service": "grouping", "status": status}
    return metrics.registry.get_sample_value("ama_http_requests_total", labels)


@pytest.mark.parametrize(
    ("path", "status"), [("200", "2xx"), ("204", "2xx"), ("404", "4xx"), ("503", "5xx"), ("defect", "5xx")]
)
async def test_a_request_is_counted_by_class_of_status_a_defect_too(path: str, status: str) -> None:
    metrics = Metrics("grouping")
    assert counted(metrics, status) == 0, "what did not happen yet is there, at nothing"
    async with client_of(application(metrics)) as client:
        for _ in range(2):
            await client.get(f"/grouping/{path}")
    assert counted(metrics, status) == 2
    assert sum(counted(metrics, f"{n}xx") or 0 for n in range(1, 6)) == 2


async def test_health_is_not_counted(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics("grouping")
    async with client_of(application(metrics)) as client:
        assert (await client.get("/grouping/healthz")).status_code == 500
    assert sum(counted(metrics, f"{n}xx") or 0 for n in range(1, 6)) == 0


def test_a_figure_that_cannot_be_seen_is_taken_away() -> None:
    metrics, labels = Metrics("grouping"), {"service": "grouping", "engine": "kafka", "node": "1"}
    metrics.set_gauge("disk_size_bytes", 7, "kafka", "1")
    assert metrics.registry.get_sample_value("ama_disk_size_bytes", labels) == 7
    metrics.clear("disk_size_bytes")
    assert metrics.registry.get_sample_value("ama_disk_size_bytes", labels) is None
