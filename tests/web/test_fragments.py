"""Parts of a page from other services: side by side, with the reader's token, in bounded time, and the page works without them."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import SimpleNamespace

import pytest
import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from services.runtime.serving import listen
from services.web.frame import fragments
from services.web.frame.fragments import Fragment
from tests.web.framed import framed

BOTH = pytest.mark.parametrize("siblings", ["inside", "outside"], indirect=True)


async def _names(request: Request) -> Response:
    told = f"<b>{request.headers['authorization']}, {request.headers['accept-language']}, {request.query_params.get('q')}</b>"
    return HTMLResponse(told)


async def _slow(request: Request) -> Response:
    await asyncio.sleep(5)
    return HTMLResponse("late")


async def _refused(request: Request) -> Response:
    return HTMLResponse("not for you", 403)


async def _elsewhere(request: Request) -> Response:
    return Response(status_code=307, headers={"location": "/enrolment/frammenti/nomi"})


async def _data(request: Request) -> Response:
    return JSONResponse({"n": 3})


async def _large(request: Request) -> Response:
    return HTMLResponse("x" * (fragments.LARGEST + 1))


async def _broken(request: Request) -> Response:
    raise RuntimeError("a defect of the sibling")


async def _where(request: Request) -> Response:
    return HTMLResponse(request.url.path)


ROUTES = {
    "nomi": _names,
    "lenti": _slow,
    "chiusi": _refused,
    "altrove": _elsewhere,
    "dati": _data,
    "lunghi": _large,
    "rotti": _broken,
    "qui": _where,
}
Siblings = Callable[[], AbstractAsyncContextManager[Request]]


def request_of(page: FastAPI) -> Request:
    """A request of the page that asks its siblings."""
    headers = [(b"authorization", b"Bearer mine"), (b"accept-language", b"en"), (b"cookie", b"ama-language=it")]
    return Request(
        {"type": "http", "method": "GET", "path": "/gruppo", "query_string": b"", "headers": headers, "app": page}
    )


@asynccontextmanager
async def inside() -> AsyncIterator[Request]:
    """A sibling in the same process."""
    page = FastAPI()
    page.state.service = SimpleNamespace(settings=SimpleNamespace(services="http://127.0.0.1:1/{service}"))
    sibling = Starlette(routes=[Route(f"/frammenti/{name}", answer) for name, answer in ROUTES.items()])
    fragments.beside(page, {"enrolment": sibling})
    yield request_of(page)


@asynccontextmanager
async def outside() -> AsyncIterator[Request]:
    """A sibling that is served."""
    app = Starlette(routes=[Route(f"/enrolment/frammenti/{name}", answer) for name, answer in ROUTES.items()])
    listening = listen(0)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    task = asyncio.create_task(server.serve([listening]))
    while not server.started:
        await asyncio.sleep(0.01)
    page = FastAPI()
    address = f"http://127.0.0.1:{listening.getsockname()[1]}/{{service}}"
    page.state.service = SimpleNamespace(settings=SimpleNamespace(services=address))
    yield request_of(page)
    await fragments.close(page)
    server.should_exit = True
    server.force_exit = True
    await task


@pytest.fixture
def siblings(request: pytest.FixtureRequest) -> Siblings:
    return {"inside": inside, "outside": outside}[request.param]


@BOTH
async def test_fragments_come_with_the_token_and_in_the_language_of_the_reader(siblings: Siblings) -> None:
    async with siblings() as request:
        parts = await fragments.gather(request, names="/enrolment/frammenti/nomi?q=a%20b")
    assert parts["names"] == Fragment("<b>Bearer mine, it, a b</b>")


@BOTH
async def test_what_is_late_refused_elsewhere_or_away_is_missing_and_the_rest_is_there_within_a_second(
    siblings: Siblings,
) -> None:
    async with siblings() as request:
        began = time.monotonic()
        parts = await fragments.gather(
            request,
            names="/enrolment/frammenti/nomi",
            late="/enrolment/frammenti/lenti",
            late_too="/enrolment/frammenti/lenti",
            refused="/enrolment/frammenti/chiusi",
            elsewhere="/enrolment/frammenti/altrove",
            large="/enrolment/frammenti/lunghi",
            broken="/enrolment/frammenti/rotti",
            away="/enrolment/frammenti/nirgends",
            here="/enrolment/frammenti/qui",
        )
        took = time.monotonic() - began
    assert {name for name, each in parts.items() if each.html is None} == {
        "late", "late_too", "refused", "elsewhere", "large", "broken", "away",
    }  # fmt: skip
    assert parts["here"].html == "/enrolment/frammenti/qui"
    assert took < 1.0


async def test_a_sibling_that_is_late_goes_on_for_those_who_wait_for_the_same() -> None:
    """The first request of a service fetches the keys of the issuer for all: a page that goes on without it must not end that."""
    page, done = FastAPI(), asyncio.Event()

    async def late(request: Request) -> Response:
        await asyncio.sleep(fragments.PATIENCE + 0.2)
        done.set()
        return HTMLResponse("late")

    fragments.beside(page, {"enrolment": Starlette(routes=[Route("/frammenti/lenti", late)])})
    parts = await fragments.gather(request_of(page), late="/enrolment/frammenti/lenti")
    assert (parts["late"].html, done.is_set()) == (None, False)
    async with asyncio.timeout(5):
        await done.wait()


@BOTH
async def test_data_of_a_sibling_are_read_as_json_and_missing_ones_are_none(siblings: Siblings) -> None:
    async with siblings() as request:
        found = await fragments.gather_json(
            request, data="/enrolment/frammenti/dati", gone="/enrolment/frammenti/x", html="/enrolment/frammenti/nomi"
        )
    assert found == {"data": {"n": 3}, "gone": None, "html": None}


@BOTH
async def test_a_path_that_belongs_to_no_service_is_a_defect(siblings: Siblings) -> None:
    async with siblings() as request:
        for path in ("/persone", "http://example.org/x", "//example.org/enrolment"):
            with pytest.raises(ValueError, match="belongs to no service"):
                await fragments.gather(request, part=path)


def test_a_page_shows_the_fragment_or_says_in_its_place_that_it_is_missing() -> None:
    frame = framed({"t.html": "{{ part(names, missing) }}"})
    assert frame.html("it", "t.html", names=Fragment("<b>Ada</b>"), missing="x") == "<b>Ada</b>"
    assert "&lt;i&gt;" in frame.html("it", "t.html", names=Fragment(None), missing="<i>")
    assert "not now" in frame.html("it", "t.html", names=None, missing="not now")
