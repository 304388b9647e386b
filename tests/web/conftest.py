"""The specimen service and its issuer, served for these tests; a browser."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser

from tests.helpers.browser import chromium
from tests.helpers.specimen_served import client, issuer, operator

__all__ = ["client", "issuer", "operator"]


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One for all tests here; each takes a context of its own."""
    async with chromium() as running:
        yield running
