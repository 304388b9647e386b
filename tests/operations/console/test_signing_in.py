"""Signing in by the code flow: what does not belong to this browser, this sign-in or this client gets nobody in."""

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import pytest_asyncio

from services.cli import where
from services.identity.attempts import FREE
from services.identity.issuer import Issuer
from services.identity.settings import ConsoleSettings, from_environment
from services.identity.web_session import WebSessions
from services.settings import Misconfigured
from tests.operations.console.standalone import PASSWORD, Desk, changed, desk, parameter  # language: kept (a fixture)

FIELDS = ("name", "password", "role", "programme", "csrf", "what", "reason", "code", "code_verifier", "grant_type")
OPEN = {"/", "/console/healthz", "/console/sign-in", "/console/signed-in", "/console/live"}


@pytest_asyncio.fixture
async def one(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as there:
        yield there


async def redeemed(one: Desk, back: str, **given: str) -> tuple[int, str | None]:
    """Redeem a code; returns the issuer's status and error."""
    form = {
        "grant_type": "authorization_code",
        "code": parameter(back, "code"),
        "redirect_uri": one.console.provider.redirect_uri,
        "client_id": "ama-console",
        "code_verifier": "a" * 43,
        **given,
    }
    answer = await one.client.post("/issuer/token", data=form)
    return answer.status_code, answer.json().get("error")


async def test_who_knows_the_password_signs_in_and_out_and_an_old_cookie_opens_nothing(one: Desk) -> None:
    assert not await one.signed_in()
    await one.sign_in()
    page = (await one.client.get("/")).text
    assert "Anna" in page
    kept = dict(one.client.cookies)
    (csrf,) = set(re.findall(r'name="csrf" value="([^"]+)"', page))
    assert (await one.client.post("/console/sign-out", data={"csrf": csrf})).status_code == 200
    one.client.cookies.update(kept)
    assert not await one.signed_in()


@pytest.mark.parametrize(
    "given",
    [
        {"password": "guessed"},
        {"password": ""},
        {"role": "worker"},
        {"programme": "elsewhere"},
        {"name": "  "},
        {"name": "Anna\u202e ihcnaiB"},
        {"name": "Anna\u200b"},
    ],
    ids=["wrong password", "no password", "a role of somebody's", "another programme", "nobody", "turned", "hidden"],
)
async def test_the_form_lets_nobody_else_in(one: Desk, given: dict[str, str]) -> None:
    answer = await one.entered(await one.form(), **given)
    assert answer.status_code == 403
    assert PASSWORD not in answer.text


async def test_the_form_says_where_the_password_is_and_begins_with_a_programme_that_has_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMA_CONSOLE_PASSWORD", PASSWORD)
    monkeypatch.setenv("AMA_PUBLIC_URL", "http://127.0.0.1:8000")
    kept = where.sign_in_of(Issuer(tmp_path, "http://127.0.0.1:8000/issuer"))  # as the issuer of docker-compose.yml
    async with desk(tmp_path, ["jobs2", "monza-brianza", "smoke"]) as there:
        form = await there.form()

        async def shown(language: str = "en") -> str:
            return (await there.client.get(form, headers={"Accept-Language": language})).text

        assert "another at every start" in await shown()
        assert re.findall(r"<option>([^<]+)", await shown()) == ["monza-brianza", "jobs2"]
        assert (await there.entered(form, programme="smoke")).status_code == 403
        assert there.sign_in_pages
        assert kept
        there.sign_in_pages.prefer("jobs2")
        there.sign_in_pages._hint = kept._hint
        assert re.findall(r"<option>([^<]+)", await shown()) == ["jobs2", "monza-brianza"]
        assert [await shown(each) for each in ("it", "en") if "secrets/console" not in await shown(each)] == []


async def test_guesses_wait_and_are_logged_without_password_and_name(
    one: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    form = await one.form()
    answers = [await one.entered(form, name="Anna Bianchi", password=f"guess {number}") for number in range(20)]
    assert [each.status_code for each in answers] == [403] * FREE + [429] * (20 - FREE)
    assert answers[-1].headers["retry-after"] == "1"
    assert "tentativi" in answers[-1].text
    logged = [each.__dict__ for each in caplog.records if each.msg == "sign-in was refused"]
    assert len(logged) == FREE
    assert not any(word in str(logged) for word in ("guess", "Anna", "Bianchi", "127.0.0.1"))
    assert (await one.entered(form)).status_code == 429, "the right password waits too, else waiting would not help"
    one.clock.now += 1
    assert (await one.entered(form)).status_code == 303


async def test_the_address_of_a_caller_is_the_one_of_the_connection_whatever_the_caller_says(one: Desk) -> None:
    form, filled = await one.form(), {"name": "a", "password": "b", "role": "operator", "programme": "jobs2"}
    answers = [
        await one.client.post(form, data={**filled, "name": f"a{n}"}, headers={"X-Forwarded-For": f"192.0.2.{n}"})
        for n in range(20)
    ]
    assert {each.status_code for each in answers[FREE:]} == {429}


NONSENSE: list[dict[str, Any]] = [
    {},
    {"client_id": ""},
    {"redirect_uri": ""},
    {"client_id": "", "redirect_uri": ""},
    {"client_id": "another", "redirect_uri": ""},
    {"client_id": "ama-console", "redirect_uri": ""},
    {"client_id": ["", "ama-console"], "redirect_uri": ""},
    {"client_id": "\0", "redirect_uri": "", "response_type": "code", "lang": "xx"},
]


@pytest.mark.parametrize("asked", NONSENSE, ids=str)
async def test_a_request_to_sign_in_that_names_no_client_is_a_400_of_our_own(one: Desk, asked: dict[str, Any]) -> None:
    for method in ("GET", "POST"):
        answer = await one.client.request(method, "/issuer/authorize", params=asked, data={"name": "Anna"})
        assert (answer.status_code, answer.headers.get("location")) == (400, None), method


async def test_links_to_other_languages_carry_what_sign_in_needs_and_nothing_else(one: Desk) -> None:
    form = await one.form()
    page = (await one.client.get(f"{form}&more={'x' * 3_000}")).text
    links = [html.unescape(each) for each in re.findall(r'href="(\?[^"]*lang=[^"]*)"', page)]
    carried = [dict(parse_qsl(each.removeprefix("?"))) for each in links]
    asked = dict(parse_qsl(urlsplit(form).query))
    assert carried == [{**asked, "lang": each} for each in ("it", "en")]
    assert (await one.client.get(f"/issuer/authorize{links[1]}")).status_code == 200
    refused = (await one.client.get("/issuer/authorize", params={"more": "x" * 3_000})).text
    assert "xxx" not in refused


async def test_an_address_of_tens_of_kilobytes_is_refused_before_it_is_read(one: Desk) -> None:
    answer = await one.client.get("/issuer/authorize?" + "a=1&" * 15_000)
    assert (answer.status_code, answer.json()["code"]) == (414, "address-too-long")


async def test_a_form_in_a_strange_charset_is_no_defect(one: Desk) -> None:
    """Python's codec `unicode_escape` yields halves of surrogate pairs, `undefined` always fails, and `punycode` takes long."""
    body = "".join(f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n\\ud800\r\n' for name in FIELDS)
    form = await one.form()
    await one.sign_in()
    for charset in ("unicode_escape", "undefined", "punycode", "idna", "utf-7", "utf-16", '"undefined"', "latin-1"):
        kind = {"Content-Type": f"multipart/form-data; boundary=b; charset={charset}"}
        for path in (form, "/issuer/token", "/console/sign-out", "/console/dead/grouping/x/y"):
            answer = await one.client.post(path, content=f"{body}--b--\r\n".encode(), headers=kind)
            assert answer.status_code == 400, (charset, path)
    plain = {"Content-Type": 'multipart/form-data; boundary=b; charset="UTF-8"'}
    answer = await one.client.post("/issuer/token", content=f"{body}--b--\r\n".encode(), headers=plain)
    assert answer.json()["error"] == "unsupported_grant_type"
    assert (await one.entered(form, name="Anna\0")).status_code == 403, "no service would take such a token"


async def test_no_redirection_leads_to_the_address_that_a_caller_names(one: Desk) -> None:
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    paths = [
        "/issuer",
        "/issuer/",
        "/issuer/token/",
        "/issuer/authorize/",
        "/console",
        "/console/",
        "/console/sign-in/",
    ]
    paths += [
        "/console/static",
        "/console/dead/grouping/x",
        "/console/sign-in",
        "/console/signed-in",
        "//evil.example/",
    ]
    for path in [*paths, str(await one.form())]:
        for method in ("GET", "POST"):
            answer = await one.client.request(method, path, headers=forged)
            assert "evil" not in answer.headers.get("location", ""), (method, path)
            assert "evil.example" not in answer.text, (method, path)


async def test_a_wrong_state_signs_nobody_in(one: Desk) -> None:
    back = await one.sent_back()
    assert (await one.client.get(changed(back, state="another"))).status_code == 400
    assert not await one.signed_in()


async def test_an_answer_to_another_browser_signs_nobody_in(one: Desk) -> None:
    back = await one.sent_back()
    one.client.cookies.clear()
    assert (await one.client.get(back)).status_code == 400
    await one.form()
    assert (await one.client.get(back)).status_code == 400


async def test_an_answer_of_another_issuer_or_a_refusal_signs_nobody_in(one: Desk) -> None:
    back = await one.sent_back()
    assert (await one.client.get(changed(back, iss="http://elsewhere/issuer"))).status_code == 400
    back = await one.sent_back()
    assert (await one.client.get(changed(back, error="access_denied"))).status_code == 400


async def test_a_code_is_good_for_the_right_verifier_client_and_address_alone_and_once(one: Desk) -> None:
    assert await redeemed(one, await one.sent_back()) == (400, "invalid_grant")
    assert await redeemed(one, await one.sent_back(), client_id="another") == (400, "invalid_grant")
    assert await redeemed(one, await one.sent_back(), redirect_uri="http://elsewhere/") == (400, "invalid_grant")
    back = await one.sent_back()
    assert await redeemed(one, back) == (400, "invalid_grant")
    assert (await one.client.get(back)).status_code == 400, "a code that somebody tried with a wrong verifier is spent"
    back = await one.sent_back()
    assert (await one.client.get(back)).status_code == 303
    assert await redeemed(one, back) == (400, "invalid_grant")


async def test_a_console_that_sends_another_verifier_is_refused(one: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from services.identity import oidc

    back, redeem = await one.sent_back(), oidc.Provider._redeemed
    monkeypatch.setattr(oidc.Provider, "_redeemed", lambda self, code, _: redeem(self, code, "b" * 43))
    assert (await one.client.get(back)).status_code == 400
    assert not await one.signed_in()


async def test_an_id_token_of_another_sign_in_is_refused(one: Desk) -> None:
    """Somebody has a victim's browser redeem a code of theirs: the nonce is not the one of the sign-in that was begun."""
    form = await one.form()
    back = (await one.entered(changed(form, nonce="another"))).headers["location"]
    assert (await one.client.get(back)).status_code == 400
    assert not await one.signed_in()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"scope": "profile"}, "invalid_request"),
    ],
)
async def test_a_flow_without_pkce_or_openid_is_sent_back(one: Desk, changes: dict[str, str], error: str) -> None:
    answer = await one.client.get(changed(await one.form(), **changes))
    assert (answer.status_code, parameter(answer.headers["location"], "error")) == (303, error)


@pytest.mark.parametrize(
    "changes", [{"redirect_uri": "http://elsewhere/"}, {"client_id": "another"}, {"client_id": ""}]
)
async def test_nobody_is_sent_to_an_address_that_is_not_the_clients(one: Desk, changes: dict[str, str]) -> None:
    form = changed(await one.form(), **changes)
    for answer in (await one.client.get(form), await one.entered(form)):
        assert (answer.status_code, answer.headers.get("location")) == (400, None)


async def test_nothing_is_changed_without_the_csrf_token_of_the_session(one: Desk) -> None:
    await one.sign_in()
    for given in ({}, {"csrf": ""}, {"csrf": "guessed"}):
        assert (await one.client.post("/console/sign-out", data=given)).status_code == 403
        assert (
            await one.client.post("/console/dead/grouping/x/y", data={"what": "redrive", **given})
        ).status_code == 403
    assert await one.signed_in()


async def test_without_a_session_no_route_but_the_open_ones_answers(one: Desk) -> None:
    from starlette.routing import Mount, Route

    (_home, inside) = one.console.routes()
    assert isinstance(inside, Mount)
    routes = [each for each in inside.routes if isinstance(each, Route) and f"/console{each.path}" not in OPEN]
    assert len(routes) == 3
    for each in routes:
        path = "/console" + each.path.replace("{service}", "grouping").replace("{id:path}", "a/b")
        for method in each.methods or ():
            answer = await one.client.request(method, path)
            assert answer.status_code == (403 if method == "POST" else 303), (method, path)
    assert "event: ended" in (await one.client.get("/console/live")).text


async def test_a_form_that_is_large_or_does_not_say_so_is_not_read(one: Desk) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"csrf=" + b"a" * 1000

    form = {"Content-Type": "application/x-www-form-urlencoded"}
    where = await one.form()
    await one.sign_in()
    for path in ("/issuer/token", where, "/console/sign-out", "/console/dead/grouping/x"):
        assert (await one.client.post(path, content=b"a" * 20_000, headers=form)).status_code == 413
        assert (await one.client.post(path, content=endless(), headers=form)).status_code == 413
    assert await one.signed_in()


async def test_a_session_ends_when_nobody_uses_it_when_it_is_old_and_with_its_token(one: Desk) -> None:
    await one.sign_in()
    one.clock.now += 29 * 60
    assert await one.signed_in()
    one.clock.now += 29 * 60
    assert await one.signed_in(), "used meanwhile"
    one.clock.now += 31 * 60
    assert not await one.signed_in(), "idle"
    await one.sign_in()
    for _ in range(20):
        one.clock.now += 25 * 60
        lasted = await one.signed_in()
    assert not lasted, "eight hours have passed"


async def test_a_page_that_is_merely_open_keeps_no_session_alive(one: Desk) -> None:
    """Its stream, begun when the session was idle for a while, is no use of it."""
    await one.sign_in()
    one.clock.now += 20 * 60
    async with one.client.stream("GET", "/console/live") as live:
        lines = live.aiter_lines()
        assert await anext(lines) == "event: summary"
        one.clock.now += 20 * 60
        assert "event: ended" in [line async for line in lines]


async def test_an_answer_tells_the_browser_what_the_page_may_do(one: Desk) -> None:
    await one.sign_in()
    for path in ("/", "/console/dead/grouping/x/y", await one.form()):
        headers = (await one.client.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")
        assert (headers["referrer-policy"], headers["x-frame-options"]) == ("no-referrer", "DENY")


async def test_cookies_are_the_browsers_alone_and_bound_to_the_host_where_there_is_tls(tmp_path: Path) -> None:
    async with desk(tmp_path) as plain:
        cookie = (await plain.client.get(await plain.sent_back())).headers["set-cookie"].lower()
        assert "ama-session=" in cookie
        assert "httponly; path=/; samesite=lax" in cookie
        assert "secure" not in cookie
        plain.console.sessions = WebSessions(ConsoleSettings(public_url="https://ama.example.org"))
        cookie = (await plain.client.get("/console/sign-in")).headers["set-cookie"]
        assert cookie.startswith("__Host-ama-signing-in=")
        assert "HttpOnly" in cookie
        assert "Secure" in cookie


async def test_where_no_issuer_or_service_answers_the_page_says_so(tmp_path: Path) -> None:
    async with desk(tmp_path, console_issuer="http://127.0.0.1:1/issuer") as away:
        answer = await away.client.get("/console/sign-in")
        assert (answer.status_code, "non risponde" in answer.text) == (503, True)
    async with desk(tmp_path) as one:
        await one.sign_in()
        page = (await one.client.get("/", headers={"Accept-Language": "de;q=1, en;q=0.7, it;q=0.5"})).text
        assert page.count("does not answer") >= 5
        assert 'lang="en"' in page
        assert (await one.client.get("/console/dead/grouping/x/y")).status_code == 503


@pytest.mark.parametrize(("name", "value"), [("AMA_CONSOLE_IDLE", "0"), ("AMA_CONSOLE_LONGEST", "for ever")])
def test_a_wrong_setting_is_one_sentence(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured, match=rf"^{name}: .*\.$"):
        from_environment()
