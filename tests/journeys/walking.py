"""Somebody who walks through the site in a real Chromium: by mouse or by keyboard, on a telephone or at a desk, with JavaScript or without.

Invariant: each page that is looked at is judged in the state that it has: axe finds nothing, it has one heading of the first level and a
title of its own, it is not wider than the screen, and the browser complains of nothing. What axe found is appended to `build/axe.json`, a
JSON object a line, and kept for the accessibility statement; each page is kept as a picture in `build/screens`.
"""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.async_api import Browser, Locator, Page, expect

from tests.helpers.looking import AXE, KEPT

BUILD = Path(__file__).parents[2] / "build"
TELEPHONE, DESK = 360, 1280
HEIGHT = {TELEPHONE: 780, DESK: 900}
PATIENCE = 30_000  # milliseconds that an element is given to be there
ID = re.compile(r"/(?=[^/]*[0-9])[A-Za-z0-9_.-]{12,}")
TITLE = re.compile(r".+ - AMA Lavoro")
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}


class Walker:
    """One person with a browser of their own. `journey` names the pictures; `keyboard`: the mouse is not used."""

    def __init__(self, base: str, page: Page, journey: str, *, keyboard: bool = False, script: bool = True) -> None:
        self.base, self.page, self.journey, self.keyboard, self._script = base, page, journey, keyboard, script
        self.complaints: list[str] = []
        self._looks = 0
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, said: Any) -> None:
        # A refusal has a status of 400 or more, which the browser reports; the page itself is what is judged.
        if said.type in {"error", "warning"} and "Failed to load resource" not in said.text:
            self.complaints.append(said.text)

    async def goes(self, address: str) -> None:
        await self.page.goto(address if address.startswith("http") else f"{self.base}{address}")

    async def looks(self, state: str, *, status: Literal["ok", "mistakes"] = "ok") -> str:
        """Judge the page as it is now, and return its text. `state` says what was done before."""
        self._looks += 1
        title, width = await self.page.title(), (self.page.viewport_size or {"width": 0})["width"]
        assert TITLE.fullmatch(title), (state, title)
        assert title.startswith("Errore:") == (status == "mistakes"), (state, title)
        assert await self.page.locator("h1").count() == 1, (state, title)
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        await self._keeps(state, width)
        assert await self.page.evaluate(wide) <= 0, f"{state}: wider than the screen"
        violations = await self._judged(state, title, width)
        assert violations == [], (state, title, violations)
        assert self.complaints == [], (state, title)
        return " ".join((await self.page.locator("body").inner_text()).split())

    async def _keeps(self, state: str, width: int) -> None:
        folder = BUILD / "screens" / self.journey
        folder.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"[^a-z0-9]+", "-", state.lower()).strip("-")
        await self.page.screenshot(path=folder / f"{width}-{self._looks:02}-{name}.png", full_page=True)

    async def _judged(self, state: str, title: str, width: int) -> list[str]:
        found = await self._axe(self.page) if self._script else await self._axe_of_copy(width)
        broken = [
            {"id": each["id"], "impact": each["impact"], "help": each["help"], "nodes": len(each["nodes"])}
            for each in found["violations"]
        ]
        line = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "axe": found["testEngine"]["version"],
            "page": ID.sub("/{…}", urlsplit(self.page.url).path),
            "title": title,
            "state": state,
            "width": width,
            "language": await self.page.locator("html").get_attribute("lang"),
            "passes": len(found["passes"]),
            "violations": broken,
        }
        KEPT.mkdir(parents=True, exist_ok=True)
        with (BUILD / "axe.json").open("a") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
        # For `ama accessibility statement`, in place of the last result of this state.
        name = sha256(f"{line['page']} {state} {width}".encode()).hexdigest()[:16]
        (KEPT / f"{name}.json").write_text(json.dumps({"title": title, "violations": broken}, ensure_ascii=False))
        return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found["violations"]]

    async def _axe(self, page: Page) -> dict[str, Any]:
        await page.evaluate(AXE.read_text())
        found: dict[str, Any] = await page.evaluate("rules => axe.run(document, rules)", RULES)
        return found

    async def _axe_of_copy(self, width: int) -> dict[str, Any]:
        """Judge a copy of the page: axe itself needs JavaScript, which this person's browser does not run."""
        browser = self.page.context.browser
        assert browser is not None
        html, address = await self.page.content(), self.page.url
        page = await browser.new_page(viewport={"width": width, "height": HEIGHT[width]}, locale="it-IT")
        try:
            await page.route(address, lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
            await page.goto(address)
            return await self._axe(page)
        finally:
            await page.close()

    async def follows(self, link: str | re.Pattern[str] | Locator) -> None:
        """Follow the first link of this name, and wait for its page."""
        await self._leads(link if isinstance(link, Locator) else self.page.get_by_role("link", name=link).first)

    async def presses(self, button: str | re.Pattern[str] | Locator) -> None:
        """Press the first button of this name, and wait for the page that follows."""
        await self._leads(button if isinstance(button, Locator) else self.page.get_by_role("button", name=button).first)

    async def opens(self, target: Locator) -> None:
        """Press what leads to no other page: a summary, or a link to a file."""
        if self.keyboard:
            await self._reaches(target)
            await self.page.keyboard.press("Enter")
        else:
            await target.click()

    async def sends(self, step: str | None = None) -> None:
        """Press the button of the page's form; `step`: the one of this step."""
        chosen = "[type=submit]" if step is None else f"[name=step][value={step}]"
        await self._leads(self.page.locator(f"main button{chosen}").first)

    async def types(self, **fields: str) -> None:
        """Replace what fields hold, by their names."""
        for name, text in fields.items():
            field = self.page.locator(f"[name={name}]:not([type=hidden], [hidden])")
            if not self.keyboard:
                await field.fill(text)
            else:
                await self._reaches(field)
                await self.page.keyboard.press("Control+A")
                await self.page.keyboard.press("Delete")
                await self.page.keyboard.type(text)

    async def chooses(self, name: str, value: str = "yes") -> None:
        """Tick a box, or choose a radio button, by its name and value."""
        box = self.page.locator(f"input[name='{name}'][value='{value}']:not([type=hidden])")
        if not self.keyboard:
            await box.check()
        elif not await box.is_checked():
            # Tab stops once in a group of radio buttons, where the arrows go on from: the browser's own behaviour.
            await (box.focus() if await box.get_attribute("type") == "radio" else self._reaches(box))
            await self.page.keyboard.press("Space")
        await expect(box).to_be_checked()

    async def selects(self, name: str, value: str) -> None:
        """Choose from a list by the value of the option."""
        await self.page.locator(f"select[name={name}]").select_option(value)

    async def reads(self, text: str | re.Pattern[str]) -> None:
        """Wait until the page has these words."""
        await expect(self.page.locator("body")).to_contain_text(text)

    async def _leads(self, target: Locator) -> None:
        async with self.page.expect_navigation(wait_until="load"):
            await self.opens(target)

    async def _reaches(self, target: Locator) -> None:
        """Press Tab until the element has the focus. AssertionError when it cannot be reached, or does not show that it is."""
        element = await target.element_handle()
        assert element is not None
        for _ in range(200):
            await self.page.keyboard.press("Tab")
            if await element.evaluate("each => each === document.activeElement"):
                shown = "each => { const s = getComputedStyle(each); return s.outlineStyle !== 'none' || s.boxShadow !== 'none' }"
                assert await element.evaluate(shown), "the focus is not visible"
                return
        raise AssertionError(f"the keyboard does not reach {await target.inner_text()}")


@asynccontextmanager
async def walking(
    browser: Browser, base: str, journey: str, *, width: int = DESK, keyboard: bool = False, script: bool = True
) -> AsyncIterator[Walker]:
    """Open a browser context without any history. Its pages end with it."""
    context = await browser.new_context(
        viewport={"width": width, "height": HEIGHT[width]}, locale="it-IT", java_script_enabled=script
    )
    context.set_default_timeout(PATIENCE)
    try:
        yield Walker(base, await context.new_page(), journey, keyboard=keyboard, script=script)
    finally:
        await context.close()
