"""Clients that are slow, silent, many or large, on real sockets: each ends, memory is bounded, and others are served meanwhile."""

import asyncio
import json
import socket
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from services import web
from services.runtime import workarounds
from services.runtime.connections import Limits
from services.web.admission import FORM, KNOWN, STRANGERS
from tests.helpers import specimen
from tests.helpers.serving import Served, settings_for
from tests.runtime.limited import SHORT, Address, limited, said

MUCH = 40_000_000  # bytes of an answer
MANY = 600  # unfinished bodies
BODY = b"x" * (1024 * 1024 - 1)


@pytest_asyncio.fixture
async def issuer(tmp_path: Path) -> AsyncIterator[Served]:
    there = Served(tmp_path / "keys")
    async with there.up():
        yield there


def plain() -> Starlette:
    async def hello(_: Request) -> Response:
        return PlainTextResponse("hello")

    async def much(_: Request) -> Response:
        return PlainTextResponse("x" * MUCH)

    async def echo(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    app = Starlette(routes=[Route("/", hello), Route("/much", much), Route("/echo", echo, methods=["POST"])])
    web.install_outside(app)
    return app


async def rest_of(client: socket.socket) -> int:
    """Read until the end of a connection, or until it is reset. Gives the number of bytes."""
    loop, got = asyncio.get_running_loop(), 0
    try:
        while some := len(await asyncio.wait_for(loop.sock_recv(client, 1_000_000), 5)):
            got += some
    except ConnectionResetError:
        return got
    return got


async def served_well(address: Address) -> bool:
    async with httpx.AsyncClient(timeout=3) as client:
        return (await client.get(f"http://{address[0]}:{address[1]}/")).text == "hello"


def test_the_protocol_of_uvicorn_is_the_one_that_was_read() -> None:
    seen = {name: ".".join(version(name).split(".")[:2]) for name in workarounds.SEEN_IN}
    assert seen == workarounds.SEEN_IN, "read services/runtime/workarounds.py against the new version"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"", (0, None)),
        (b"GET / HT", (408, "too-slow")),
        (b"GET / HTTP/1.1\r\nHost: here\r\nX-A", (408, "too-slow")),
        (b"POST /echo HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\nabc", (408, "too-slow")),
        (b"GET / HTTP/1.1\r\n" + b"X-A: aaaaaaaaaaaaaaaa\r\n" * 10_000, (431, "headers-too-large")),
        (b"nonsense\r\n\r\n", (400, "malformed")),
    ],
    ids=["nothing", "half a line", "half a header", "half a body", "endless headers", "no HTTP"],
)
async def test_a_request_that_does_not_come_whole_ends_with_a_problem_document(
    sent: bytes, expected: tuple[int, str | None]
) -> None:
    async with limited(plain()) as address:
        status, document = await said(address, sent)
    assert (status, document.get("code")) == expected


async def test_a_body_that_trickles_ends_though_bytes_keep_coming() -> None:
    async with limited(plain()) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"POST /echo HTTP/1.1\r\nHost: here\r\nContent-Length: 1000\r\n\r\n")
        ended = asyncio.create_task(reader.read())
        for _ in range(40):
            writer.write(b"a")
            await asyncio.sleep(0.1)
            if ended.done():
                break
        assert b" 408 " in await asyncio.wait_for(ended, 1)
        writer.close()


async def test_a_second_request_on_a_connection_has_the_same_times() -> None:
    async with limited(plain()) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        await asyncio.wait_for(reader.readuntil(b"hello"), 3)
        await asyncio.sleep(1)  # longer than the time for headers: an idle connection has sent nothing yet
        writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\nGET /")
        await asyncio.wait_for(reader.readuntil(b"hello"), 3)
        assert b" 408 " in await asyncio.wait_for(reader.read(), 3)
        writer.close()


async def test_who_does_not_read_the_answer_is_cut_off_and_who_reads_slowly_is_not() -> None:
    async with limited(plain()) as address:
        asked = b"GET /much HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"
        silent, slow = socket.socket(), socket.socket()
        for each in (silent, slow):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
            each.connect(address)
            each.setblocking(False)
            each.sendall(asked)
        loop = asyncio.get_running_loop()
        for _ in range(50):  # for four times as long as a silent client is borne with
            assert await asyncio.wait_for(loop.sock_recv(slow, 200_000), 3)
            await asyncio.sleep(0.05)
        assert await rest_of(slow) > MUCH / 2
        assert await rest_of(silent) < MUCH
        silent.close()
        slow.close()


async def test_when_all_places_are_taken_the_idle_give_way_and_good_clients_are_served() -> None:
    async with limited(plain(), replace(SHORT, connections=20, headers_within=30, body_within=30)) as address:
        idle = [await asyncio.open_connection(*address) for _ in range(20)]
        half = [await asyncio.open_connection(*address) for _ in range(30)]
        for _, writer in half:
            writer.write(b"GET / HTTP/1.1\r\nX")
        assert [await served_well(address) for _ in range(5)] == [True] * 5
        assert [await asyncio.wait_for(reader.read(), 3) for reader, _ in idle] == [b""] * 20
        for _, writer in [*idle, *half]:
            writer.close()


async def test_when_everybody_is_being_answered_the_next_one_hears_so() -> None:
    waiting, going = asyncio.Event(), asyncio.Event()

    async def hang(_: Request) -> Response:
        waiting.set()
        await going.wait()
        return PlainTextResponse("done")

    async with limited(Starlette(routes=[Route("/", hang)]), replace(SHORT, connections=1)) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
        await waiting.wait()
        status, document = await said(address, b"")
        going.set()
        assert (status, document["code"]) == (503, "unavailable")
        assert b"done" in await asyncio.wait_for(reader.read(), 3)
        writer.close()


@asynccontextmanager
async def unfinished(address: Address, path: str, kind: str, number: int) -> AsyncIterator[list[socket.socket]]:
    """Send bodies of 1 MiB but for their last byte, each on a connection of its own."""
    head = f"POST {path} HTTP/1.1\r\nHost: here\r\nContent-Type: {kind}\r\nContent-Length: {len(BODY) + 1}\r\n\r\n"
    loop, open_ = asyncio.get_running_loop(), list[socket.socket]()

    async def one() -> None:
        client = socket.socket()
        client.setblocking(False)
        open_.append(client)
        try:
            await loop.sock_connect(client, address)
            await loop.sock_sendall(client, head.encode() + BODY[:1000])
            await asyncio.wait_for(loop.sock_sendall(client, memoryview(BODY)[1000:]), 20)
        except (ConnectionError, TimeoutError):
            return  # cut off, or not read any further: both keep the memory of the service free

    try:
        await asyncio.gather(*(one() for _ in range(number)))
        yield open_
    finally:
        for each in open_:
            each.close()


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/referrals", "application/json"), ("/answers", "application/x-www-form-urlencoded"), ("/nowhere", "text/plain")],
)
async def test_unfinished_bodies_without_a_token_take_little_memory_and_others_are_served(
    issuer: Served, path: str, kind: str
) -> None:
    app = specimen.build(settings_for(issuer.url))
    bearer = {"Authorization": f"Bearer {issuer.issuer.token('operator', 'jobs2', 'carla')}"}
    body = {"person": {"name": "Ada"}, "slots": ["x" * 900] * 500}
    async with limited(app, Limits()) as address, httpx.AsyncClient(timeout=20) as client:
        base = f"http://127.0.0.1:{address[1]}"
        assert (await client.post(f"{base}/referrals", json=body, headers=bearer)).status_code == 201
        tracemalloc.start()
        try:
            async with unfinished(address, path, kind, MANY):
                good = await client.post(f"{base}/referrals", json=body, headers=bearer)
                held, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert good.status_code == 201
    sent = MANY * len(BODY)
    # What is read at one moment, before the service could look at it, makes the peak.
    assert (held < sent / 40, peak < sent / 5) == (True, True), f"{held / 1e6:.0f} MB, at most {peak / 1e6:.0f} MB"


async def test_unfinished_bodies_without_a_token_give_way_and_take_nothing_from_callers_with_one(
    issuer: Served,
) -> None:
    app = specimen.build(settings_for(issuer.url))
    form = f"POST /answers HTTP/1.1\r\nHost: here\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {FORM}\r\n\r\n"
    bearer = {"Authorization": f"Bearer {issuer.issuer.token('operator', 'jobs2', 'carla')}"}
    async with limited(app, Limits()) as address, httpx.AsyncClient(timeout=10) as client:
        base = f"http://127.0.0.1:{address[1]}"
        held = [await asyncio.open_connection(*address) for _ in range(STRANGERS // FORM + 2)]
        for _, writer in held:
            writer.write(form.encode() + b"mood=" + b"5" * (FORM - 10))
        first = await asyncio.wait_for(held[0][0].readuntil(b"\r\n\r\n"), 5)
        assert (b" 503 " in first, b"retry-after: 2" in first.lower()) == (True, True)
        for _ in range(3):
            assert (await client.post(f"{base}/answers", data={"mood": "5", "more": "5" * 60_000})).status_code == 200
        good = await client.post(f"{base}/referrals", json={"person": {"name": "Ada"}}, headers=bearer)
        assert good.status_code == 201
        for _, writer in held:
            writer.close()


async def test_unfinished_bodies_of_one_caller_keep_nobody_out(issuer: Served) -> None:
    app = specimen.build(settings_for(issuer.url))
    partner = {"Authorization": f"Bearer {issuer.issuer.token('referrer', 'jobs2', 'ada', 'cgil')}"}
    operator = {"Authorization": f"Bearer {issuer.issuer.token('operator', 'jobs2', 'carla')}"}
    body = {"person": {"name": "Ada"}, "slots": ["x" * 900] * 500}
    kind = f"application/json\r\nAuthorization: {partner['Authorization']}"
    async with limited(app, Limits()) as address, httpx.AsyncClient(timeout=20) as client:
        base = f"http://127.0.0.1:{address[1]}"
        async with unfinished(address, "/referrals", kind, KNOWN // len(BODY) + 2):
            for who in (operator, partner):
                answers = [await client.post(f"{base}/referrals", json=body, headers=who) for _ in range(3)]
                assert [each.status_code for each in answers] == [201] * 3


async def test_a_form_without_a_token_is_small(issuer: Served) -> None:
    async with limited(specimen.build(settings_for(issuer.url))) as (host, port), httpx.AsyncClient() as client:
        answer = await client.post(f"http://{host}:{port}/answers", data={"mood": "5" * (FORM + 1)})
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


async def test_a_body_that_breaks_off_reaches_no_route() -> None:
    from fastapi import FastAPI

    from services.identity.auth import open_to_all

    reached = []
    app = FastAPI(docs_url=None, redoc_url=None)

    @app.post("/act", dependencies=[open_to_all("a test")])
    async def act(body: dict[str, str] | None = None) -> None:
        reached.append(body)

    web.install(app)
    async with limited(app) as address:
        _, writer = await asyncio.open_connection(*address)
        writer.write(
            b"POST /act HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{"
        )
        await writer.drain()
        await asyncio.sleep(0.3)
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.3)
        assert reached == []
        async with httpx.AsyncClient() as client:
            assert (await client.post(f"http://{address[0]}:{address[1]}/act")).status_code == 200
        assert reached == [None]


async def test_who_may_not_call_is_refused_before_the_body_is_read(issuer: Served) -> None:
    """The body never comes: an answer shows that nobody waited for it."""
    app = specimen.build(settings_for(issuer.url))
    tokens = {
        "": (401, "not-authenticated"),
        f"Authorization: Bearer {issuer.issuer.token('worker', 'jobs2', 'w1')}\r\n": (403, "not-allowed"),
    }
    async with limited(app, Limits()) as address:
        for shown, expected in tokens.items():
            reader, writer = await asyncio.open_connection(*address)
            writer.write(
                f"POST /referrals HTTP/1.1\r\nHost: here\r\n{shown}Content-Type: application/json\r\n"
                f"Content-Length: 1000\r\n\r\n".encode()
            )
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 3)
            length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            document = json.loads(await asyncio.wait_for(reader.readexactly(length), 3))
            assert (document["status"], document["code"]) == expected
            writer.close()
