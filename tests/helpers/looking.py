"""A page in a real browser, judged by axe and by its width. A test that checks `complaints` fails for every error that the browser reports.

`tests.helpers.browser.chromium()` starts the browser; one fixture of a folder keeps it for its tests.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, Page

TELEPHONE, DESK, NARROW = {"width": 360, "height": 800}, {"width": 1280, "height": 900}, {"width": 320, "height": 800}
AXE = Path(__file__).parent / "axe" / "node_modules" / "axe-core" / "axe.min.js"
KEPT = Path(__file__).parents[2] / "build" / "axe"
SECONDS = 60_000  # in milliseconds; what a page is given to change


class Looked:
    """A page, and the errors that the browser reported on it."""

    def __init__(self, page: Page) -> None:
        self.page, self.complaints = page, list[str]()
        page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in {"error", "warning"} else None
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def judged(self) -> list[str]:
        """List the violations that axe finds, of WCAG 2.2 AA and of its best practices."""
        found: dict[str, Any] = await self.page.evaluate("axe.run()")
        self._keep(await self.page.title(), found)
        return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found["violations"]]

    def _keep(self, title: str, found: dict[str, Any]) -> None:
        """Keep the result for `ama accessibility statement`, in place of the last one of this page at this width."""
        KEPT.mkdir(parents=True, exist_ok=True)
        seen = {
            "title": title,
            "violations": [{name: each[name] for name in ("id", "help")} for each in found["violations"]],
        }
        width = (self.page.viewport_size or DESK)["width"]
        name = sha256(f"{title} {urlsplit(self.page.url).path} {width}".encode()).hexdigest()[:16]
        (KEPT / f"{name}.json").write_text(json.dumps(seen, ensure_ascii=False))

    async def too_wide(self) -> bool:
        """Tell if the page is wider than the screen."""
        return bool(
            await self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        )


@asynccontextmanager
async def looking(
    browser: Browser, size: dict[str, int] = DESK, *, javascript: bool = True, language: str = "it-IT"
) -> AsyncIterator[Looked]:
    """Open a browser context without any history. Without JavaScript, axe cannot judge."""
    context = await browser.new_context(viewport=size, locale=language, java_script_enabled=javascript)  # type: ignore[arg-type]  # a TypedDict of the same
    try:
        if javascript:
            await context.add_init_script(path=AXE)
        page = await context.new_page()
        page.set_default_timeout(SECONDS)
        yield Looked(page)
    finally:
        await context.close()
