"""Connections that wait for their client give way, whatever they wait for; a refused request is answered once, and nothing after it."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from services import web
from tests.runtime.limited import SHORT, Address, limited

PLACES = 20
PATIENT = replace(SHORT, connections=PLACES, headers_within=30, body_within=30, reads_within=30)
PIECE, PIECES = 64 * 1024, 300  # of a file: the application waits for the reader between pieces
GET = b"GET /%s HTTP/1.1\r\nHost: here\r\n\r\n"
POST = b"POST /%s HTTP/1.1\r\nHost: here\r\n"
HELD = {"reading": GET % b"file", "body": POST % b"echo" + b"Content-Length: 10\r\n\r\nabc"}


def app() -> Starlette:
    async def hello(_: Request) -> Response:
        return PlainTextResponse("hello")

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(PIECES):
            yield b"x" * PIECE

    async def file(_: Request) -> Response:
        return StreamingResponse(pieces())

    async def echo(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    async def unread(_: Request) -> Response:
        await asyncio.sleep(0.1)
        return PlainTextResponse("unread")

    async def begun(request: Request) -> Response:
        async def slowly() -> AsyncIterator[bytes]:
            for _ in range(20):
                yield b"part"
                await asyncio.sleep(0.05)

        return StreamingResponse(slowly())

    of_bodies = {"echo": echo, "unread": unread, "begun": begun}
    routes = [Route("/", hello), Route("/file", file)]
    made = Starlette(routes=routes + [Route(f"/{name}", each, methods=["POST"]) for name, each in of_bodies.items()])
    web.install_outside(made)
    return made


@asynccontextmanager
async def held(address: Address, sent: bytes, number: int) -> AsyncIterator[list[socket.socket]]:
    """Open connections that send this and then neither send nor read."""
    clients = list[socket.socket]()
    try:
        for _ in range(number):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)
            clients.append(client)
            await asyncio.get_running_loop().sock_connect(client, address)
            client.sendall(sent)
        await asyncio.sleep(0.5)  # until no answer goes on
        yield clients
    finally:
        for client in clients:
            client.close()


@pytest.mark.parametrize("sent", HELD.values(), ids=HELD.keys())
async def test_who_holds_all_places_gives_way_and_those_that_come_together_are_all_served(sent: bytes) -> None:
    async with limited(app(), PATIENT) as address, held(address, sent, PLACES + 5):
        good = [await asyncio.open_connection(*address) for _ in range(PLACES // 2)]
        for _, writer in good:
            writer.write(GET % b"")
        answers = await asyncio.gather(*(asyncio.wait_for(reader.readuntil(b"hello"), 5) for reader, _ in good))
        for _, writer in good:
            writer.close()
    assert [each.split()[1] for each in answers] == [b"200"] * len(good)


async def test_who_reads_slowly_keeps_the_place_and_who_does_not_read_gives_it() -> None:
    async with limited(app(), PATIENT) as address, held(address, HELD["reading"], PLACES) as (slow, *_):
        got = await taken(slow, 4_000_000)  # more than the kernels hold
        good = [await asyncio.open_connection(*address) for _ in range(PLACES // 2)]
        await asyncio.sleep(0.2)
        got += await taken(slow, PIECE * PIECES - got)
        for _, writer in good:
            writer.close()
    assert got >= PIECE * PIECES


async def taken(client: socket.socket, number: int) -> int:
    """Read at least so many bytes, or up to the end of the connection. Gives their number."""
    got = 0
    while got < number and (some := await asyncio.wait_for(asyncio.get_running_loop().sock_recv(client, 200_000), 5)):
        got += len(some)
    return got


STRANGE = {
    "a line end alone": b"Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
    "no length": b"Transfer-Encoding: chunked\r\n\r\nz\r\nhello\r\n0\r\n\r\n",
    "after a piece": b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n\r\nz\r\n\r\n",
}


@pytest.mark.parametrize("path", [b"echo", b"unread", b"begun"])
@pytest.mark.parametrize("sent", STRANGE.values(), ids=STRANGE.keys())
async def test_wrong_bytes_behind_the_headers_are_answered_once_and_are_no_defect(
    sent: bytes, path: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    head, _, rest = (POST % path + sent).partition(b"\r\n\r\n")
    async with limited(app(), PATIENT) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(head + b"\r\n\r\n")
        if path == b"begun":
            await asyncio.wait_for(reader.readuntil(b"part"), 5)
        writer.write(rest)
        answer = await asyncio.wait_for(reader.read(), 5)
        await asyncio.sleep(0.3)  # until the application has answered: the connection is still open
        writer.close()
    assert answer.count(b"HTTP/1.1 ") == (0 if path == b"begun" else 1)
    assert answer.startswith(b"HTTP/1.1 400 ") or path == b"begun"
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR] == []
