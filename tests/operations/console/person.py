"""A person at the console with a browser. A test that checks `complaints` fails for every error that the browser reports."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page

from services.embedded.home import Home

TELEPHONE, DESK = {"width": 360, "height": 800}, {"width": 1440, "height": 900}
AXE = Path(__file__).parents[2] / "helpers" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
SECONDS = 60_000  # in milliseconds; what a page is given to change


class Person:
    """A page, and the errors that the browser reported on it."""

    def __init__(self, home: Home, page: Page) -> None:
        self.home, self.page, self.complaints = home, page, list[str]()
        page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in {"error", "warning"} else None
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def comes(self, language: str = "it") -> None:
        await self.page.goto(f"{self.home.base}/?lang={language}")

    async def signs_in(self, role: str = "system-operator") -> None:
        """Sign in by the form, with the password of this start."""
        await self.page.click("#sign-in")
        await self.page.fill("#name", "Anna Prova")
        await self.page.fill("#password", self.home.password)
        await self.page.select_option("#programme", "jobs2")
        await self.page.select_option("#role", role)
        await self.page.click("#enter")
        await self.page.wait_for_url(f"{self.home.base}/")

    async def judged(self) -> list[str]:
        """List the violations that axe finds, of WCAG 2.2 AA and of its best practices."""
        found: dict[str, Any] = await self.page.evaluate("axe.run()")
        return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found["violations"]]

    async def too_wide(self) -> bool:
        """Tell if the page is wider than the screen."""
        return bool(
            await self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        )


@asynccontextmanager
async def somebody(browser: Browser, home: Home, size: dict[str, int] = DESK) -> AsyncIterator[Person]:
    """Open a browser context without any history."""
    context = await browser.new_context(viewport=size, locale="it-IT")  # type: ignore[arg-type]  # a TypedDict of the same
    try:
        await context.add_init_script(path=AXE)
        page = await context.new_page()
        page.set_default_timeout(SECONDS)
        yield Person(home, page)
    finally:
        await context.close()
