"""The page and the fragments of messages in a real browser: judged by axe, and on a narrow telephone."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from fastapi import FastAPI, Request, Response
from playwright.async_api import Browser

from notifications import messages_said as said
from notifications.domain import About, Message, Status
from notifications.pages import FRAME, TABS
from services import web
from services.identity.auth import Role, Who, open_to_all
from services.kernel import code_of
from services.runtime.serving import listen, serving
from services.web.frame import page_router, static
from tests.helpers.browser import chromium
from tests.helpers.looking import DESK, NARROW, looking

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots" / "messages"
WHO = Who(Role.OPERATOR, "op", "jobs2")


def rows() -> list[Message]:
    """One message of every kind in every state, and one for every reason."""
    told = {"worker": "019a8c52-6d1e-7b64-9f0a-3c5b7a1d2e4f", "reference": "g", "day": date(2026, 12, 14)}
    kinds: list[dict[str, Any]] = [{"about": about, "status": status} for about in About for status in Status]
    kinds += [{"about": About.SEAT, "status": Status.FAILED, "reason": reason} for reason in (*said.REASONS, "new")]
    settled = {Status.SENT, Status.FAILED}
    return [
        Message.model_validate(
            {"id": f"m{n}", "correlation": "c", "channel": "sms" if n % 2 else "mail", **told, **each}
            | ({"settled": datetime(2026, 12, 9, 18, 5, tzinfo=UTC)} if each["status"] in settled else {})
        )
        for n, each in enumerate(kinds)
    ]


def build() -> FastAPI:
    """An application with the page in each state, and the static files."""
    pages = page_router(FRAME)
    shown: dict[str, Any] = {"said": said, "code_of": code_of, "most": 1000, "who": WHO}

    @pages.get("/messaggi/{state}", dependencies=[open_to_all("a test")])
    async def messages(request: Request, state: str) -> Response:
        found = rows() if state == "full" else []
        given: dict[str, Any] = {"tabs": TABS, "chosen": "non-consegnati", "page": 1, "pages": 3, "total": 140}
        return FRAME.page(request, "messages/all.html", rows=found, **given, **shown)

    @pages.get("/messaggi/parts/{part}", dependencies=[open_to_all("a test")])
    async def part(request: Request, part: str) -> Response:
        answer = FRAME.part(request, f"messages/{part}.html", rows=rows(), total=140, **shown)
        given: dict[str, Any] = {"tabs": TABS, "chosen": "inviati", "page": 1, "pages": 1, "total": 0, "rows": []}
        page = FRAME.page(request, "messages/all.html", **given, **shown)
        # A fragment stands below a heading of the page that shows it.
        page.body = bytes(page.body).replace(b"</main>", b"<h2>Messaggi</h2>" + bytes(answer.body) + b"</main>")
        page.headers["content-length"] = str(len(page.body))
        return page

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.router.routes.extend(static.routes())
    app.include_router(pages)
    web.install_outside(app)
    return app


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def base() -> AsyncIterator[str]:
    listening = listen(0)
    async with serving(build(), listening):
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest.mark.parametrize("path", ["full", "empty", "parts/today", "parts/of_one"])
async def test_everybody_can_read_the_messages_on_every_screen(browser: Browser, base: str, path: str) -> None:
    async with looking(browser, NARROW) as seen:
        await seen.page.goto(f"{base}/messaggi/{path}")
        assert await seen.judged() == []
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        await seen.page.screenshot(path=SCREENSHOTS / f"{path.replace('/', '-')}.png", full_page=True)
        for size in (NARROW, DESK):
            await seen.page.set_viewport_size(size)  # type: ignore[arg-type]  # a TypedDict of the same
            assert not await seen.too_wide()
        assert seen.complaints == []
