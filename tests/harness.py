"""Services on the session's engines, as a test asks for them.

Invariant: every house has its own databases and consumer groups; the bus is shared, as in the world, and subjects keep apart.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from services import vault
from services.contracts.topics import SERVICES
from services.embedded.home import Home
from services.engines import Engines
from services.runtime.service import Service
from services.settings import Settings

SHIPPED = "monza-brianza,jobs2"  # what these houses serve: tests with programmes of their own share the bus


async def eventually(check: Callable[[], Awaitable[Any]], seconds: float = 60.0) -> Any:
    """What `check` gives once it is true; the last answer is in the failure."""
    deadline, last = time.monotonic() + seconds, None
    while time.monotonic() < deadline:
        last = await check()
        if last:
            return last
        await asyncio.sleep(0.05)
    raise AssertionError(f"not within {seconds} s; last seen: {last!r}")


async def late(services: Iterable[Service]) -> list[str]:
    """Consumers that have not taken all there is; asked at once, since each answers when its reader has."""
    consumers = [(f"{each.name} {name}", c) for each in services for name, c in each.runners.items()]
    level = await asyncio.gather(*(c.caught_up() for _, c in consumers))
    return [name for (name, _), is_level in zip(consumers, level, strict=True) if not is_level]


def sasl(engines: Engines) -> dict[str, Any]:
    """The settings that a secured bus needs."""
    if engines.sasl is None:
        return {}
    return {"sasl_username": engines.sasl.username, "sasl_password": engines.sasl.password}


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One set of key files, since the bus is shared."""
    folder = tmp_path_factory.mktemp("home") / "keys"
    vault.make_keys(folder, SERVICES)
    return folder


@pytest.fixture
def settings(engines: Engines, keys: Path) -> Settings:
    """Settings with databases of the test's own."""
    return Settings(
        kafka=engines.kafka,
        mongo=engines.mongo,
        keys=keys,
        database=f"t{uuid.uuid4().hex[:10]}",
        only=SHIPPED,
        **sasl(engines),
    )


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def home(running_engines: Engines, keys: Path) -> AsyncIterator[Home]:
    """All five services behind one port."""
    async with Home(keys.parent, engines=running_engines, database=f"h{uuid.uuid4().hex[:8]}", only=SHIPPED) as up:
        yield up


class Caller:
    """An HTTP client that speaks with one role's token."""

    def __init__(
        self, home: Home, role: str, programme: str, subject: str | None = None, partner: str | None = None
    ) -> None:
        bearer = home.token(role, programme, subject, partner)
        self._client = httpx.AsyncClient(base_url=home.base, headers={"Authorization": f"Bearer {bearer}"}, timeout=30)

    async def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._client.request(method, path, json=body, headers=named)
