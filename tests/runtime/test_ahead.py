"""Clients that send requests ahead of the answers, on real sockets: a few are answered in order, and many take nothing from others."""

import asyncio
import time
import tracemalloc

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from services import web
from services.runtime.connections import Limits
from services.runtime.received import END, Received
from tests.runtime.limited import SHORT, limited, said

SLOW = 1.0  # seconds; longer than SHORT gives to headers
ASKED = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
CROWD, AT_ONCE = 20, 240_000 // len(ASKED)  # connections, and requests on each
THREE = (
    b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"
    b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na\r\n\r\nb\r\n\r"
    b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n\r\n\r\nc\r\n0\r\n\r\n"
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
)


def app() -> Starlette:
    async def healthz(_: Request) -> Response:
        await asyncio.sleep(0)
        return PlainTextResponse("alive")

    async def slow(_: Request) -> Response:
        await asyncio.sleep(SLOW)
        return PlainTextResponse("slow")

    async def echo(request: Request) -> Response:
        return PlainTextResponse(repr(await request.body()))

    routes = [Route("/healthz", healthz), Route("/slow", slow), Route("/echo", echo, methods=["POST"])]
    made = Starlette(routes=routes)
    web.install_outside(made)
    return made


@pytest.mark.parametrize("at_once", [len(THREE), 1, 7])
async def test_a_few_requests_sent_ahead_are_answered_in_order_however_they_are_cut(at_once: int) -> None:
    async with limited(app(), Limits()) as address:
        reader, writer = await asyncio.open_connection(*address)
        for begin in range(0, len(THREE), at_once):
            writer.write(THREE[begin : begin + at_once])
            await asyncio.sleep(0.001)
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
    assert answer.count(b"HTTP/1.1 200 OK") == 4
    places = [answer.find(each) for each in (b"slow", rb"'a\r\n\r\nb\r\n\r'", rb"'\r\n\r\nc'", b"alive")]
    assert places == sorted(places)
    assert places[0] > 0


async def test_the_time_of_a_request_sent_ahead_does_not_run_while_the_former_one_is_answered() -> None:
    async with limited(app(), SHORT) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\nGET /")
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.index(b"slow") < answer.index(b"HTTP/1.1 408 ")


async def test_who_sends_many_ahead_is_answered_some_and_told_that_the_connection_closes() -> None:
    limits = Limits(ahead=3)
    async with limited(app(), limits) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(ASKED * 10)
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
    assert (answer.count(b"alive"), answer.count(b"connection: close")) == (limits.ahead + 1, 1)
    assert answer.endswith(b"alive")


async def test_thousands_of_requests_sent_ahead_take_little_memory_and_others_are_served_at_once() -> None:
    async def send(address: tuple[str, int]) -> None:
        _, writer = await asyncio.open_connection(*address)
        try:
            writer.write(ASKED * AT_ONCE)
            await asyncio.wait_for(writer.drain(), 20)
        except (ConnectionError, TimeoutError):
            return
        finally:
            writer.close()

    async with limited(app(), Limits()) as address, httpx.AsyncClient(timeout=30) as client:
        good = f"http://{address[0]}:{address[1]}/healthz"
        assert (await client.get(good)).status_code == 200
        tracemalloc.start()
        try:
            crowd = [asyncio.create_task(send(address)) for _ in range(CROWD)]
            await asyncio.sleep(0)
            begun = time.monotonic()
            for _ in range(5):
                assert (await client.get(good)).text == "alive"
            took = time.monotonic() - begun
            await asyncio.gather(*crowd)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    sent = CROWD * AT_ONCE * len(ASKED)  # this process holds it as well: it is the client, too
    assert (peak < 5 * sent, took < 3) == (True, True), f"{peak / sent:.1f} times what was sent, {took:.1f} s"


@pytest.mark.parametrize("path", ["/healthz", "/echo"])
async def test_a_chunked_body_that_consists_of_ends_does_not_hold_up_the_loop(path: str) -> None:
    gaps, going = [], True  # seconds of this thread alone: the machine may be busy with others

    async def tick() -> None:
        while going:
            begun = time.thread_time()
            await asyncio.sleep(0)
            gaps.append(time.thread_time() - begun)

    ends = END * 60_000
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{len(ends):x}\r\n".encode()
    async with limited(app(), Limits()) as address:
        reader, writer = await asyncio.open_connection(*address, limit=2_000_000)
        ticking = asyncio.create_task(tick())
        writer.write(head + ends + b"\r\n0\r\n\r\n" + ASKED)
        answer = await asyncio.wait_for(reader.readuntil(b"alive"), 20)
        going = False
        await ticking
        writer.close()
    assert answer.startswith(b"HTTP/1.1 405 " if path == "/healthz" else b"HTTP/1.1 200 ")
    assert max(gaps) < 0.06


async def test_an_address_that_is_too_long_is_a_problem_document() -> None:
    async with limited(app(), Limits()) as address:
        long = b"GET /healthz?" + b"a=1&" * 15_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
        status, document = await said(address, long)
        assert (status, document["code"]) == (414, "address-too-long")
        fits = b"GET /healthz?" + b"a" * 8_000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        reader, writer = await asyncio.open_connection(*address)
        writer.write(fits)
        assert b"200 OK" in await asyncio.wait_for(reader.read(), 5)
        writer.close()


@given(st.lists(st.text("\r\nab", max_size=12).map(str.encode), max_size=12))
def test_pieces_are_what_came_and_end_where_headers_end(came: list[bytes]) -> None:
    received, pieces = Received(), list[bytes]()
    for data in came:
        received.add(data)
        while received:
            pieces.append(received.take(0))
    assert b"".join(pieces) == b"".join(came)
    whole, at = b"".join(came), 0
    ends = {place + len(END) for place in range(len(whole)) if whole.startswith(END, place)}
    cuts = {at := at + len(piece) for piece in pieces}
    assert ends <= cuts
