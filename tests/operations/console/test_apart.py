"""The console as a process of its own, which knows services and issuer by their addresses alone."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from services.contracts.topics import SERVICES
from services.embedded.home import Home
from services.embedded.sign_in import CLIENT
from services.runtime.serving import listen
from tests.helpers.waiting import eventually
from tests.operations.console.standalone import Clock, Desk


@asynccontextmanager
async def process(home: Home) -> AsyncIterator[str]:
    """`ama serve console`, asked to end when the block does; its address."""
    with listen(0) as free:
        port = free.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    given = {"AMA_PUBLIC_URL": base, "AMA_ISSUER": home.issuer.url, "AMA_CONSOLE_SERVICES": f"{home.base}/{{service}}"}
    command = ("-c", "from services.cli import main; main()", "serve", "console", "--port", str(port))
    ran = await asyncio.create_subprocess_exec(sys.executable, *command, env={**os.environ, **given})
    try:

        async def answers() -> bool:
            assert ran.returncode is None, "it has ended"
            async with httpx.AsyncClient() as client:
                try:
                    return (await client.get(f"{base}/console/healthz")).is_success
                except httpx.TransportError:
                    return False

        await eventually(answers)
        yield base
    finally:
        ran.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(ran.wait(), 30) == 0


async def test_it_signs_people_in_and_shows_how_the_services_stand_live(home: Home) -> None:
    async with process(home) as base:
        registered, home.sign_in.clients = home.sign_in.clients, {CLIENT: f"{base}/console/signed-in"}
        try:
            anna = Desk(base, home.operators, Clock())
            back = (await anna.entered(await anna.form(), password=home.password)).headers["location"]
            assert (await anna.client.get(back)).headers["location"] == "/"
        finally:
            home.sign_in.clients = registered
        page = (await anna.client.get("/")).text
        assert all(f">{service}</h3>" in page for service in SERVICES)
        assert page.count("non risponde") == 0
        async with anna.client.stream("GET", "/console/live") as live:
            told = [line async for line in _first(live, 5)]
        assert told == ["summary", "engines", "services", "dead", "funnel"]
        await anna.client.aclose()


async def _first(live: httpx.Response, number: int) -> AsyncIterator[str]:
    """The names of so many events."""
    async for line in live.aiter_lines():
        if line.startswith("event: "):
            yield line.removeprefix("event: ")
            if (number := number - 1) == 0:
                return
