"""All five services on a Kafka with users: each as its own, made from the catalogue."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.embedded.home import Home
from services.engines import Engines, Sasl
from services.settings import Settings


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def secured(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Home]:
    """Start the system as `ama up --secure` does."""
    async with Home(tmp_path_factory.mktemp("secured"), secure=True) as home:
        yield home


@pytest.fixture(scope="package")
def administered(secured: Home) -> Engines:
    """Its engines, with the administrator."""
    return Engines(secured.settings.kafka, secured.settings.mongo, login(secured.settings))


def login(settings: Settings) -> Sasl:
    """Give the SASL login in these settings."""
    assert settings.sasl_username
    assert settings.sasl_password
    return Sasl(settings.sasl_username, settings.sasl_password)
