"""Fixtures: the specimen service and its issuer, both served on loopback."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.helpers import specimen
from tests.helpers.serving import Served, client_of, settings_for


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def issuer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """An issuer that is served."""
    there = Served(tmp_path_factory.mktemp("issuer") / "keys")
    async with there.up():
        yield there


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def client(issuer: Served) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the specimen, without a token."""
    async with client_of(specimen.build(settings_for(issuer.url))) as asking:
        yield asking


@pytest.fixture
def operator(issuer: Served) -> dict[str, str]:
    """Headers with an operator's token."""
    return {"Authorization": f"Bearer {issuer.issuer.token('operator', 'jobs2', 'carla')}"}
