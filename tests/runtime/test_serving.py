"""Connections stay open between requests."""

import asyncio
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.helpers.serving import served

LONG = 6.0  # seconds; uvicorn by itself, and httpx, keep one for five: who asks then is cut off now and then


async def test_a_connection_that_was_idle_for_a_while_still_answers() -> None:
    async def hello(_: object) -> PlainTextResponse:
        return PlainTextResponse("hello")

    async with served(Starlette(routes=[Route("/", hello)])) as base:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(base).port)
        for pause in (0.0, LONG):
            await asyncio.sleep(pause)
            writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
            await asyncio.wait_for(reader.readuntil(b"hello"), 5)
        writer.close()
