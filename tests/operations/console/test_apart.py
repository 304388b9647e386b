"""The site as a process of its own, which knows the services by their addresses alone."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx

from services.contracts.topics import SERVICES
from services.embedded.home import Home
from services.front.accounts import FIRST
from services.runtime.serving import listen
from tests.helpers.waiting import eventually


@asynccontextmanager
async def process(home: Home) -> AsyncIterator[str]:
    """`ama serve site` on the database of the home's own site, asked to end when the block does; its address. People know it by the
    address of the home, as behind a proxy."""
    with listen(0) as free:
        port = free.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    given = {
        "AMA_PUBLIC_URL": home.base,
        "AMA_ISSUER": home.issuer.url,
        "AMA_MONGO": home.settings.mongo,
        "AMA_DATABASE": home.settings.database,
        "AMA_KEYS": str(home.settings.keys),
        "AMA_SERVICES": f"{home.base}/{{service}}",
    }
    command = ("-c", "from services.cli import main; main()", "serve", "site", "--port", str(port))
    ran = await asyncio.create_subprocess_exec(sys.executable, *command, env={**os.environ, **given})
    try:

        async def answers() -> bool:
            assert ran.returncode is None, "it has ended"
            async with httpx.AsyncClient() as client:
                try:
                    return (await client.get(f"{base}/readyz")).is_success
                except httpx.TransportError:
                    return False

        await eventually(answers)
        yield base
    finally:
        ran.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(ran.wait(), 30) == 0


async def test_it_signs_people_in_and_shows_how_the_services_stand_live(home: Home) -> None:
    async with process(home) as base, httpx.AsyncClient(base_url=base, timeout=30) as anna:
        form = urlsplit((await anna.get("/accedi?next=/console")).headers["location"])
        ours = form._replace(scheme="", netloc="").geturl()
        entered = await anna.post(ours, data={"name": FIRST, "password": home.first_password})
        back = urlsplit(entered.headers["location"])._replace(scheme="", netloc="").geturl()
        await anna.get(back)
        chosen = await anna.post("/ruolo", data={"ruolo": "system-operator:jobs2", "next": "/console"})
        assert chosen.headers["location"] == "/console"
        page = (await anna.get("/console")).text
        assert all(f">{service}</h3>" in page for service in SERVICES)
        assert page.count("non risponde") == 0
        async with anna.stream("GET", "/console/live") as live:
            told = [line async for line in _first(live, 5)]
        assert told == ["summary", "engines", "services", "dead", "funnel"]


async def _first(live: httpx.Response, number: int) -> AsyncIterator[str]:
    """The names of so many events."""
    async for line in live.aiter_lines():
        if line.startswith("event: "):
            yield line.removeprefix("event: ")
            if (number := number - 1) == 0:
                return
