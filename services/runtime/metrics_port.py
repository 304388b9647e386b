"""The port that serves the metrics of a process.

Invariant: it has the same limits as every other port, in a register of its own, so that neither takes connections from the other.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services import web
from services.runtime.serving import listen, serving
from services.settings import Misconfigured
from services.telemetry import Metrics, together

OPEN_METRICS = "application/openmetrics-text"


@asynccontextmanager
async def serving_metrics(port: int, metrics: Iterable[Metrics], host: str = "127.0.0.1") -> AsyncIterator[int]:
    """Show the figures of these services at `/metrics` of a port of their own, for as long as the block runs. Gives the port (0 takes a
    free one). Misconfigured when it is taken."""
    try:
        listening = listen(port, host)
    except Misconfigured as error:
        raise Misconfigured(f"{error} AMA_METRICS_PORT names it.") from error
    with listening:
        async with serving(_application(metrics), listening):
            yield int(listening.getsockname()[1])


def _application(metrics: Iterable[Metrics]) -> Starlette:
    registry = together(metrics)

    async def show(request: Request) -> Response:
        encode, kind = choose_encoder(_format_of(request.headers.get("accept", "")))
        return Response(encode(registry), headers={"Content-Type": kind})

    app = Starlette(routes=[Route("/metrics", show)])
    web.install_outside(app)
    return app


def _format_of(accept: str) -> str:
    """Name the format that is wanted, without its parameters: any caller writes them, and the library fails at some."""
    formats = {each.partition(";")[0].strip() for each in accept.split(",")}
    return OPEN_METRICS if OPEN_METRICS in formats else ""
