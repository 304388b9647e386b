"""The survey page in each state, in a real browser: judged by axe, on a narrow telephone, by keyboard, and without JavaScript."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from fastapi import FastAPI, Request, Response
from playwright.async_api import Browser

from services import web
from services.identity.auth import open_to_all
from services.programmes.instruments import Instrument, load_all
from services.runtime.serving import listen, serving
from services.web.frame import page_router, static
from sessions.pages import FRAME, LATER, NOTICES
from sessions.survey_page import answers_of, form_of_survey, judge
from tests.helpers.browser import chromium
from tests.helpers.looking import DESK, NARROW, looking

OURS = load_all()["ama-own"]
SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots" / "survey"
STATES = ("form", "wrong", "later", "number", "unworded", *NOTICES)


def build() -> FastAPI:
    """An application with the page in each state, and the static files."""
    pages = page_router(FRAME)

    @pages.get("/questionario/{state}", dependencies=[open_to_all("a test")])
    async def shown(request: Request, state: str) -> Response:
        if state in NOTICES:
            title, sentence, then = NOTICES[state]
            return FRAME.page(request, "surveys/notice.html", title=title, sentence=sentence, then=then)
        if state == "unworded":
            part = bytes(FRAME.part(request, "surveys/unworded.html", missing=[load_all()["who5"]]).body).decode()
            return FRAME.page(request, "surveys/notice.html", title="Oggi", sentence=part, then="")
        return _form(request, state)

    @pages.post("/questionario/{state}", dependencies=[open_to_all("a test")])
    async def sent(request: Request, state: str) -> Response:
        filled = await form_of_survey(OURS, "it").filled(request)
        judge(filled, OURS, answers_of(filled))
        return _page(request, OURS, filled)

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.router.routes.extend(static.routes())
    app.include_router(pages)
    web.install_outside(app)
    return app


def _form(request: Request, state: str) -> Response:
    instrument = OURS
    if state == "number":
        told = load_all()["jobs2-depression"].model_dump()
        instrument = Instrument.model_validate(
            {**told, "items": [{"id": "score", "text": {"it": "Quanto, da 1 a 5?"}}]}
        )
    filled = (
        form_of_survey(instrument, "it").empty(identity="4")
        if instrument is OURS
        else (form_of_survey(instrument, "it").empty(score="9"))
    )
    if state in {"wrong", "number"}:
        judge(filled, instrument, answers_of(filled))
    if state == "later":
        filled.errors[""] = LATER
    return _page(request, instrument, filled)


def _page(request: Request, instrument: Instrument, filled: object) -> Response:
    about: dict[str, Any] = {
        "title": instrument.titles.get("it", instrument.title),
        "introduction": instrument.introduction.get("it"),
    }
    return FRAME.page(
        request, "surveys/survey.html", form=filled, all=False, worded_in="it", until=date(2026, 12, 14), **about
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def base() -> AsyncIterator[str]:
    listening = listen(0)
    async with serving(build(), listening):
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest.mark.parametrize("state", STATES)
async def test_everybody_can_read_the_page_in_every_state_and_on_every_telephone(
    browser: Browser, base: str, state: str
) -> None:
    async with looking(browser, NARROW) as seen:
        await seen.page.goto(f"{base}/questionario/{state}")
        assert await seen.judged() == []
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        await seen.page.screenshot(path=SCREENSHOTS / f"{state}.png", full_page=True)
        for size in (NARROW, DESK):
            await seen.page.set_viewport_size(size)  # type: ignore[arg-type]  # a TypedDict of the same
            assert not await seen.too_wide()
        assert [each for each in seen.complaints if "422" not in each] == []


async def test_a_survey_is_answered_by_keyboard_without_javascript_and_a_mistake_keeps_everything(
    browser: Browser, base: str
) -> None:
    async with looking(browser, NARROW, javascript=False) as seen:
        page = seen.page
        await page.goto(f"{base}/questionario/form")
        await page.locator("#isolation-alone").focus()
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Space")
        await page.locator("button[name=step]").focus()
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#errors")
        assert (await page.title()).startswith("Errore:")
        checked = [await each.get_attribute("name") for each in await page.locator("input:checked").all()]
        assert checked == ["isolation-alone", "role-useful", "identity"]
        assert await page.locator("#errors li").count() == len(OURS.items) - len(checked)
