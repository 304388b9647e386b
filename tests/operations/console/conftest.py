"""A browser, and people in the five services who are told of by events that some consumer cannot take."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser

from services.embedded.home import Home
from tests.helpers.browser import chromium
from tests.operations.console.poison import Poison


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One for all tests here; each takes a context of its own."""
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def poison(home: Home) -> AsyncIterator[Poison]:
    """Admissions that grouping cannot take, while the test says so."""
    planted = Poison(home)
    yield planted
    await planted.heal()
