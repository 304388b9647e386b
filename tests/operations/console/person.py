"""A person at the console with a browser. A test that checks `complaints` fails for every error that the browser reports."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page

from services.embedded.home import Home
from services.front.accounts import FIRST
from tests.helpers.looking import DESK, SECONDS, TELEPHONE, Looked, looking

__all__ = ["DESK", "SECONDS", "TELEPHONE", "Person", "somebody"]


class Person(Looked):
    """A page, and the errors that the browser reported on it."""

    def __init__(self, home: Home, page: Page) -> None:
        super().__init__(page)
        self.home = home

    async def comes(self, language: str = "it") -> None:
        await self.page.goto(f"{self.home.base}/?lang={language}")

    async def signs_in(self, role: str = "system-operator") -> None:
        """Sign in by the form, with the first account, and choose a role of it."""
        await self.page.click("#sign-in")
        await self.page.fill("#name", FIRST)
        await self.page.fill("#password", self.home.first_password or "")
        await self.page.click("#enter")
        await self.page.wait_for_url(lambda url: "/issuer/" not in url)
        await self.page.goto(f"{self.home.base}/ruolo")
        await self.page.click(f'button[value="{role}:jobs2"]')
        await self.page.wait_for_url(lambda url: "/ruolo" not in url)


@asynccontextmanager
async def somebody(browser: Browser, home: Home, size: dict[str, int] = DESK) -> AsyncIterator[Person]:
    """Open a browser context without any history."""
    async with looking(browser, size) as looked:
        yield Person(home, looked.page)
