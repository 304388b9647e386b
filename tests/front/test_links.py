"""Personal links: a page with one button, then half an hour as the worker for whom the link stands, without any account."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.engines import Engines
from tests.front.behind import claims_of
from tests.front.served_site import Desk, desk  # language: kept (a helper)
from tests.helpers.serving import served

GOOD, ELSEWHERE = "a" * 43, "b" * 43


class Enrolment:
    """The route by which enrolment says for whom a link stands; it notes what it is asked."""

    def __init__(self) -> None:
        self.asked = list[str]()

    def app(self) -> Starlette:
        async def redeem(request: Request) -> Response:
            token = request.path_params["token"]
            self.asked.append(f"{request.method} {token}")
            known = {GOOD: "monza-brianza", ELSEWHERE: "nowhere"}
            if token not in known:
                return JSONResponse({"code": "no-such-link"}, 404)
            return JSONResponse({"programme": known[token], "worker": "0198f0c0-0000-7000-8000-000000000001"})

        return Starlette(routes=[Route("/enrolment/links/{token:path}", redeem, methods=["POST"])])


@asynccontextmanager
async def linked(engines: Engines, folder: Path) -> AsyncIterator[tuple[Desk, Enrolment]]:
    enrolment = Enrolment()
    async with served(enrolment.app()) as base, desk(engines, folder, services=f"{base}/{{service}}") as there:
        yield there, enrolment


async def test_a_link_opens_the_workers_page_for_half_an_hour_and_only_by_the_button(
    engines: Engines, tmp_path: Path
) -> None:
    async with linked(engines, tmp_path) as (there, enrolment):
        worker = there.browser()
        page = await worker.get(f"/entra/{GOOD}")
        assert page.status_code == 200
        assert page.text.count("<button") == 1
        assert "<script" not in page.text
        assert enrolment.asked == [], "programs that look at mails open links too"
        answer = await worker.post(f"/entra/{GOOD}")
        assert (answer.status_code, answer.headers["location"]) == (303, "/me")
        assert enrolment.asked == [f"POST {GOOD}"]
        passed = await worker.get("/forward-auth", **{"X-Forwarded-Method": "GET"})
        told = claims_of(passed.headers["authorization"])
        assert (told["role"], told["sub"], told["programme"]) == (
            "worker",
            "0198f0c0-0000-7000-8000-000000000001",
            "monza-brianza",
        )
        for _ in range(3):
            there.clock.forward(minutes=9)
            assert await worker.known()
        there.clock.forward(minutes=4)
        assert not await worker.known(), "also when it was used all the time"
        page = await worker.get("/accedi?next=/me")
        assert (page.status_code, "link personale" in page.text) == (401, True), (
            "no form for an account that they do not have"
        )
        assert (await worker.get("/accedi")).status_code == 303


@pytest.mark.parametrize("token", ["c" * 43, ELSEWHERE, "short", "a" * 600, "..%2f..%2fworkers%2fx", "x.." * 20 + "é"])
async def test_a_link_that_is_wrong_or_over_says_whom_to_ask(engines: Engines, tmp_path: Path, token: str) -> None:
    async with linked(engines, tmp_path) as (there, enrolment):
        worker = there.browser()
        answer = await worker.post(f"/entra/{token}")
        assert answer.status_code == 404
        assert "ama-site" not in worker.client.cookies
        assert all("/" not in each.removeprefix("POST ") for each in enrolment.asked)
        if "%2f" not in token:
            assert "non è più valido" in answer.text


async def test_while_enrolment_is_away_the_link_stays_and_the_page_says_so(engines: Engines, tmp_path: Path) -> None:
    async with desk(engines, tmp_path) as there:
        answer = await there.browser().post(f"/entra/{GOOD}")
        assert (answer.status_code, answer.text.count("<button")) == (503, 1)
        assert "resta valido" in answer.text


async def test_a_link_ends_the_web_session_that_this_browser_had_and_another_site_cannot_press_the_button(
    engines: Engines, tmp_path: Path
) -> None:
    async with linked(engines, tmp_path) as (there, enrolment):
        anna = await there.signed_in()
        thief = there.browser()
        thief.client.cookies.set("ama-site", anna.secret)
        refused = await anna.client.post(f"/entra/{GOOD}", headers={"Sec-Fetch-Site": "cross-site"})
        assert (refused.status_code, enrolment.asked) == (403, [])
        await anna.post(f"/entra/{GOOD}")
        assert not await thief.known()
