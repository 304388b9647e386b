"""Fixtures for services on the session's engines.

Invariant: each test's services have databases and consumer groups of their own; they share the bus, where subjects keep them apart.
"""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services import vault
from services.contracts.topics import SERVICES
from services.embedded.home import Home
from services.engines import Engines
from services.settings import Settings

SHIPPED = "monza-brianza,jobs2"  # programmes of these services: tests with programmes of their own share the bus


def sasl(engines: Engines) -> dict[str, Any]:
    """Settings for a bus with users; none for a bus without."""
    if engines.sasl is None:
        return {}
    return {"sasl_username": engines.sasl.username, "sasl_password": engines.sasl.password}


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One set of key files for all tests, since they share the bus."""
    folder = tmp_path_factory.mktemp("home") / "keys"
    vault.make_keys(folder, SERVICES)
    return folder


@pytest.fixture
def settings(engines: Engines, keys: Path) -> Settings:
    """Settings with databases of the test's own."""
    return settings_on(engines, keys)


def settings_on(engines: Engines, keys: Path) -> Settings:
    """Settings with new databases on these engines."""
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
