"""A page of enrolment in a browser, on a narrow screen, and whatever axe finds wrong in each state that one reaches."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.routing import Mount

from services.identity.auth import Role
from services.web.frame import static
from tests.enrolment.site import Site
from tests.helpers.browser import chromium
from tests.helpers.looking import NARROW, Looked, looking
from tests.helpers.serving import served

EXPECTED = ("status of 404", "status of 409", "status of 422", "status of 503")  # answers that a test asks for


@dataclass
class Seen:
    """A page of the site in a browser, and what was wrong with every state of it."""

    looked: Looked
    base: str
    wrong: list[str]

    async def open(self, path: str) -> None:
        """Go there and judge it."""
        await self.looked.page.goto(self.base + path)
        await self.judge(path)

    async def press(self, name: str) -> None:
        """Press the button with this text and judge what follows."""
        await self.looked.page.get_by_role("button", name=name).click()
        await self.looked.page.wait_for_load_state()
        await self.judge(f"after “{name}”")

    async def judge(self, where: str) -> None:
        """Note what axe finds, and a page that is wider than the screen."""
        self.wrong += [f"{where}: {each}" for each in await self.looked.judged()]
        if await self.looked.too_wide():
            self.wrong.append(f"{where}: wider than the screen")

    @property
    def complaints(self) -> list[str]:
        return [each for each in self.looked.complaints if not any(status in each for status in EXPECTED)]


@asynccontextmanager
async def seen(
    here: Site, role: Role | None, subject: str = "somebody", partner: str | None = None
) -> AsyncIterator[Seen]:
    """A browser of somebody, on a narrow screen."""
    app = Starlette(routes=[*static.routes(), Mount("/", here.service.app)])
    async with chromium() as browser, served(app) as base, looking(browser, NARROW) as looked:
        looked.page.set_default_timeout(25_000)
        if role is not None:
            async with here.client(role, subject, partner) as client:
                await looked.page.set_extra_http_headers({"Authorization": client.headers["authorization"]})
        yield Seen(looked, base, [])
