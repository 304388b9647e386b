"""Services get a token for a cookie, never the cookie; no change that another site asked for; nothing that was forged."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from starlette.datastructures import Headers

from services.engines import Engines
from services.front.cookies import without_ours
from services.front.door import FRESH, LASTS, CrossSite, refuse_cross_site
from services.front.grants import Grant
from services.front.people import Person
from services.identity.auth import Authenticator, Role, Who
from services.store.mongo import Store
from tests.front.behind import Told, claims_of
from tests.front.served_site import Browser, Desk, desk  # language: kept (a fixture)

BASE = "https://ama.example.org"
CHANGING, READING = ("POST", "PUT", "PATCH", "DELETE", "", "post", "CONNECT"), ("GET", "HEAD", "OPTIONS")
OURS: list[dict[str, str]] = [
    {"sec-fetch-site": "same-origin"},
    {"sec-fetch-site": "none"},
    {"sec-fetch-site": "same-origin", "origin": "https://evil.example"},  # a browser's own word goes first
    {"origin": BASE},
    {"origin": "https://AMA.example.org:443"},
    {},  # a program
]
THEIRS: list[dict[str, str]] = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": ""},
    {"sec-fetch-site": "Same-Origin"},
    {"sec-fetch-site": "cross-site", "origin": BASE},
    {"origin": "null"},
    {"origin": ""},
    {"origin": "http://ama.example.org"},
    {"origin": "https://ama.example.org:8443"},
    {"origin": "https://ama.example.org.evil.example"},
    {"origin": "https://evil.example"},
    {"origin": "https://www.ama.example.org"},
    {"origin": "https://ama.example.org:x"},
]


@pytest.mark.parametrize("method", CHANGING)
@pytest.mark.parametrize("sent", THEIRS, ids=str)
def test_a_change_that_another_site_asks_for_is_refused(method: str, sent: dict[str, str]) -> None:
    with pytest.raises(CrossSite):
        refuse_cross_site(method, Headers(sent), BASE)


@pytest.mark.parametrize("method", [*CHANGING, *READING])
@pytest.mark.parametrize("sent", OURS, ids=str)
def test_what_our_own_pages_and_programs_ask_for_passes(method: str, sent: dict[str, str]) -> None:
    refuse_cross_site(method, Headers(sent), BASE)


@pytest.mark.parametrize("method", READING)
@pytest.mark.parametrize("sent", THEIRS, ids=str)
def test_a_link_on_another_site_may_lead_here(method: str, sent: dict[str, str]) -> None:
    refuse_cross_site(method, Headers(sent), BASE)


@pytest.mark.parametrize(
    ("header", "left"),
    [
        (b"ama-site=x", b""),
        (b"__Host-ama-site=x; ama-language=it", b"ama-language=it"),
        (b"ama-language=it; ama-site=x; theirs=ama-site", b"ama-language=it; theirs=ama-site"),
        (b"ama-signing-in=x;ama-site=y;a=b", b"a=b"),
        (b"not-ama-site=x", b"not-ama-site=x"),
        ("a=è; ama-site=x".encode(), "a=è".encode()),
    ],
)
def test_our_cookies_are_taken_out_and_all_others_stay(header: bytes, left: bytes) -> None:
    assert without_ours(header) == left


@pytest_asyncio.fixture
async def one(engines: Engines, tmp_path: Path) -> AsyncIterator[Desk]:
    """A site with a service behind its door in place of its own pages, and another site with these, on one database."""
    async with desk(engines, tmp_path, behind=Told()) as there:
        yield there


@pytest_asyncio.fixture
async def anna(one: Desk) -> Browser:
    """Somebody whose web session was opened without the pages, which this site does not have."""
    await one.account()
    person = Person("anna", "Anna Bianchi", (Grant.read("operator:monza-brianza"),), generation=1)
    session = await one.site.sessions.begin(person, person.grants[0])
    browser = one.browser()
    browser.client.cookies.set("ama-site", session.secret)
    return browser


async def told(answer: httpx.Response) -> dict[str, str]:
    """The headers that the service was sent."""
    assert answer.status_code == 200, answer.text
    found: dict[str, str] = answer.json()["headers"]
    return found


async def test_a_service_sees_a_short_token_and_no_cookie(one: Desk, anna: Browser) -> None:
    anna.client.cookies.set("ama-language", "it")
    sent = await told(await anna.get("/enrolment/workers"))
    assert sent["cookie"] == "ama-language=it"
    claims = claims_of(sent["authorization"])
    named = {name: claims[name] for name in ("sub", "role", "programme", "name", "aud", "iss")}
    assert named == {
        "sub": "anna",
        "role": "operator",
        "programme": "monza-brianza",
        "name": "Anna Bianchi",
        "aud": "ama",
        "iss": f"{one.base}/issuer",
    }
    assert claims["exp"] - claims["iat"] == LASTS == 300
    assert (await told(await anna.get("/x")))["authorization"] == sent["authorization"], "so that it is verified once"
    assert FRESH >= 60


async def test_without_a_web_session_a_request_passes_without_a_token(one: Desk, anna: Browser) -> None:
    nobody = one.browser()
    assert "authorization" not in await told(await nobody.get("/enrolment/workers"))
    await one.site.accounts.disable("anna")
    assert "authorization" not in await told(await anna.get("/enrolment/workers")), "at once"


async def test_a_caller_with_a_token_of_their_own_is_that_caller_whatever_cookie_comes_along(
    one: Desk, anna: Browser
) -> None:
    for own in ("Bearer theirs", "Basic x", ""):
        answer = await anna.client.post(
            "/x", headers={"Authorization": own, "Sec-Fetch-Site": "cross-site", "Origin": "null"}
        )
        sent = await told(answer)
        assert sent["authorization"] == own
        assert "cookie" not in sent


async def test_another_site_changes_nothing_and_its_visitor_reads_why(one: Desk, anna: Browser) -> None:
    answer = await anna.client.post("/enrolment/workers", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "Non è stato fatto nulla" in answer.text
    assert (await anna.client.get("/enrolment/workers", headers={"Sec-Fetch-Site": "cross-site"})).status_code == 200


async def test_a_proxy_is_told_the_same_as_the_door_does(engines: Engines, tmp_path: Path) -> None:
    async with desk(engines, tmp_path) as there:
        eva = await there.signed_in("eva")

        async def asked(method: str | None, **headers: str) -> httpx.Response:
            given = {
                "X-Forwarded-Uri": "/enrolment/workers",
                **({"X-Forwarded-Method": method} if method else {}),
                **headers,
            }
            return await eva.client.get("/forward-auth", headers={"Sec-Fetch-Site": "same-origin", **given})

        passed = await asked("POST")
        assert passed.status_code == 200
        claims = claims_of(passed.headers["authorization"])
        assert (claims["sub"], claims["role"]) == ("eva", "operator")
        assert (await asked("POST", **{"Sec-Fetch-Site": "cross-site"})).status_code == 403
        assert (
            await asked("POST", Origin="https://evil.example", **{"Sec-Fetch-Site": "cross-site"})
        ).status_code == 403
        assert (await asked(None, **{"Sec-Fetch-Site": "cross-site"})).status_code == 403, "no method is no reading"
        assert (await asked("GET", **{"Sec-Fetch-Site": "cross-site"})).status_code == 200
        own = await asked("POST", Authorization="Bearer theirs", **{"Sec-Fetch-Site": "cross-site"})
        assert (own.status_code, own.headers["authorization"]) == (200, "Bearer theirs")
        nobody = await there.browser().get("/forward-auth")
        assert (nobody.status_code, nobody.headers["authorization"], nobody.content) == (200, "", b"")


async def test_a_token_of_a_web_session_is_accepted_by_a_service_also_beside_another_provider(
    engines: Engines, tmp_path: Path
) -> None:
    async with desk(engines, tmp_path) as there:
        eva = await there.signed_in("eva")
        token = (
            (await eva.get("/forward-auth", **{"X-Forwarded-Method": "GET"}))
            .headers["authorization"]
            .removeprefix("Bearer ")
        )
        away = there.site.settings.model_copy(update={"issuer": "https://id.example.org/realms/ama"})
        who = await Authenticator(away, known=["monza-brianza"]).who(token)
        assert who == Who(Role.OPERATOR, "eva", "monza-brianza", None, "Anna Bianchi")


async def test_where_the_database_is_away_the_page_says_so_and_the_open_pages_answer(
    engines: Engines, tmp_path: Path
) -> None:
    async with desk(engines, tmp_path) as there:
        eva = await there.signed_in("eva")
        gone = Store("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=300", "nothing")
        there.site.sessions._kept._store = there.site.store = gone
        assert (await there.browser().get("/")).status_code == 200
        answer = await eva.get("/ruolo")
        assert (answer.status_code, "<h1>" in answer.text) == (503, True)
        assert (await eva.get("/readyz")).status_code == 503
        assert (await eva.get("/healthz")).status_code == 200
        await gone.close()
