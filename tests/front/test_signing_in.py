"""Signing in by the code flow: what does not belong to this browser, this sign-in or this client gets nobody in.

The module has over 300 lines, since each case spoils one part of the same sign-in.
"""

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import pytest
import pytest_asyncio

from services.engines import Engines
from services.identity.attempts import FREE
from tests.front.served_site import PASSWORD, Browser, Desk, copy_of, desk  # language: kept (a fixture)


@pytest_asyncio.fixture
async def one(engines: Engines, tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(engines, tmp_path) as there:
        await there.account()
        yield there


def changed(address: str, **parameters: str) -> str:
    """Give the address with other parameters."""
    parts = urlsplit(address)
    given = {name: values[0] for name, values in parse_qs(parts.query).items()} | parameters
    return parts._replace(query=urlencode(given)).geturl()


async def sent_back(anna: Browser) -> str:
    """Sign in at the issuer; gives the address that it sends the browser back to."""
    return str((await anna.post(await anna.form(), name="anna", password=PASSWORD)).headers["location"])


async def redeemed(one: Desk, back: str, **given: str) -> tuple[int, str | None]:
    """Redeem a code as a program would; gives the issuer's status and error."""
    form = {
        "grant_type": "authorization_code",
        "code": parse_qs(urlsplit(back).query)["code"][0],
        "redirect_uri": one.site.settings.return_address,
        "client_id": "ama-site",
        "code_verifier": "a" * 43,
        **given,
    }
    async with httpx.AsyncClient(base_url=one.base) as program:
        answer = await program.post("/issuer/token", data=form)
    return answer.status_code, answer.json().get("error")


async def test_somebody_signs_in_goes_on_where_they_wanted_and_signs_out(one: Desk) -> None:
    anna = one.browser()
    answer = await anna.sign_in("anna", then="/persone?nome=rossi")
    assert (answer.status_code, answer.headers["location"]) == (303, "/persone?nome=rossi")
    assert "Anna Bianchi" in (await anna.get("/")).text
    assert (await anna.get("/accedi?next=/gruppi")).headers["location"] == "/gruppi", "nobody signs in twice"
    assert (await anna.get("/esci")).status_code == 200, "a page with a button, which changes nothing"
    out = await anna.post("/esci")
    assert (out.status_code, "Anna Bianchi" in out.text) == (200, False)
    assert not await anna.known()


async def test_without_a_wish_people_go_to_the_first_page_of_their_role(one: Desk) -> None:
    assert (await one.browser().sign_in("anna")).headers["location"] == "/oggi"


@pytest.mark.parametrize(
    "then",
    ["//evil.example/", "/\\evil.example", "https://evil.example/", "/\t/evil.example", "evil.example", "javascript:alert(1)",
     "/ /evil.example", "///evil.example", "/accedi?next=/accedi", "/esci", "/entra/x", "/issuer/authorize", "\\\\evil.example"],
)  # fmt: skip
async def test_nobody_is_led_to_another_site_or_in_a_circle(one: Desk, then: str) -> None:
    assert (await one.browser().sign_in("anna", then=then)).headers["location"] == "/oggi"


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("anna", "guessed"),
        ("eva", PASSWORD),
        ("Anna\u202e", PASSWORD),
        ("anna\0", PASSWORD),
        ("anna", PASSWORD.upper()),
    ],
    ids=["wrong password", "no such account", "turned", "not storable", "another case"],
)
async def test_the_form_lets_nobody_else_in_keeps_the_name_and_says_one_thing_to_all(
    one: Desk, name: str, password: str
) -> None:
    anna = one.browser()
    answer = await anna.post(await anna.form(), name=name, password=password)
    assert answer.status_code == 403
    assert html.escape(name.replace("\0", ""))[:4] in answer.text
    assert password not in answer.text
    assert "non sono giusti" in answer.text


async def test_an_account_is_found_however_its_name_is_written(one: Desk) -> None:
    assert (await one.browser().sign_in(" ANNA ")).status_code == 303


async def test_what_is_missing_is_said_at_its_field(one: Desk) -> None:
    anna = one.browser()
    answer = await anna.post(await anna.form(), name="", password="")
    assert answer.status_code == 422
    assert 'id="name-wrong"' in answer.text
    assert 'id="password-wrong"' in answer.text


async def test_guesses_wait_in_every_copy_and_are_logged_without_password_and_name(
    one: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    anna = one.browser()
    form = await anna.form()
    answers = [await anna.post(form, name="anna", password=f"guess {number}") for number in range(6)]
    assert [each.status_code for each in answers] == [403] * FREE + [429] * (6 - FREE)
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert "tentativi" in answers[-1].text
    async with copy_of(one) as elsewhere:
        moved = urlsplit(form)._replace(netloc=urlsplit(elsewhere).netloc).geturl()
        assert (await anna.post(moved, name="anna", password="guess")).status_code == 429
    logged = [each.__dict__ for each in caplog.records if each.msg == "sign-in was refused"]
    assert len(logged) == FREE
    assert not any(word in str(logged) for word in ("guess", "anna", "Bianchi", "127.0.0.1"))
    assert (await anna.post(form, name="anna", password=PASSWORD)).status_code == 429, "else waiting would not help"
    one.clock.forward(seconds=40)
    assert (await anna.post(form, name="anna", password=PASSWORD)).status_code == 303


async def test_the_address_of_a_caller_is_the_one_of_the_connection_whatever_the_caller_says(one: Desk) -> None:
    anna = one.browser()
    form = await anna.form()
    answers = [
        await anna.client.post(
            form, data={"name": f"a{n}", "password": "b"}, headers={"X-Forwarded-For": f"192.0.2.{n}"}
        )
        for n in range(8)
    ]
    assert {each.status_code for each in answers[FREE:]} == {429}


NONSENSE: list[dict[str, Any]] = [
    {},
    {"client_id": "", "redirect_uri": ""},
    {"client_id": "another", "redirect_uri": ""},
    {"client_id": "ama-site", "redirect_uri": "http://elsewhere/"},
    {"client_id": ["", "ama-site"], "redirect_uri": ""},
    {"client_id": "\0", "redirect_uri": "", "response_type": "code", "lang": "xx"},
]


@pytest.mark.parametrize("asked", NONSENSE, ids=str)
async def test_a_request_to_sign_in_that_names_no_client_is_a_400_of_our_own(one: Desk, asked: dict[str, Any]) -> None:
    anna = one.browser()
    for method in ("GET", "POST"):
        answer = await anna.client.request(method, "/issuer/authorize", params=asked, data={"name": "Anna"})
        assert (answer.status_code, answer.headers.get("location")) == (400, None), method


async def test_links_to_other_languages_carry_what_sign_in_needs(one: Desk) -> None:
    anna = one.browser()
    form = await anna.form()
    page = (await anna.get(form)).text
    links = [html.unescape(each) for each in re.findall(r'href="(/issuer/authorize\?[^"]*lang=[^"]*)"', page)]
    asked = dict(parse_qsl(urlsplit(form).query))
    assert [dict(parse_qsl(urlsplit(each).query)) for each in links] == [
        {**asked, "lang": each} for each in ("it", "en")
    ]
    assert "Sign in" in (await anna.get(links[1])).text


async def test_no_redirection_leads_to_the_address_that_a_caller_names(one: Desk) -> None:
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    paths = ["/issuer", "/issuer/", "/issuer/token/", "/console", "/console/", "/accedi", "/accedi/", "/ruolo", "/esci",
             "/console/dead/grouping/x", "//evil.example/", "/accedi?next=//evil.example"]  # fmt: skip
    anna = one.browser()
    for path in [*paths, str(await anna.form())]:
        for method in ("GET", "POST"):
            answer = await anna.client.request(method, path, headers=forged)
            assert "evil.example" not in urlsplit(answer.headers.get("location", "")).netloc, (method, path)
            assert answer.status_code < 500, (method, path)


async def test_an_answer_that_is_not_for_this_sign_in_or_this_browser_signs_nobody_in(one: Desk) -> None:
    for change in ({"state": "another"}, {"iss": "http://elsewhere/issuer"}, {"error": "access_denied"}):
        anna = one.browser()
        assert (await anna.get(changed(await sent_back(anna), **change))).status_code == 400
        assert not await anna.known()
    anna, eva = one.browser(), one.browser()
    back = await sent_back(anna)
    await eva.form()
    assert (await eva.get(back)).status_code == 400, "another browser"
    anna.client.cookies.clear()
    assert (await anna.get(back)).status_code == 400, "nobody who began"


async def test_a_sign_in_is_finished_once_and_within_its_time(one: Desk) -> None:
    anna = one.browser()
    back = await sent_back(anna)
    kept = dict(anna.client.cookies)
    assert (await anna.get(back)).status_code == 303
    anna.client.cookies.update(kept)
    assert (await anna.get(back)).status_code == 400
    eva = one.browser()
    back = await sent_back(eva)
    one.clock.forward(minutes=11)
    assert (await eva.get(back)).status_code == 400


async def test_a_sign_in_that_was_begun_is_finished_in_another_copy(one: Desk) -> None:
    anna = one.browser()
    back = urlsplit(await sent_back(anna))
    async with copy_of(one) as elsewhere:
        answer = await anna.get(back._replace(netloc=urlsplit(elsewhere).netloc).geturl())
        assert (answer.status_code, answer.headers["location"]) == (303, "/oggi")


async def test_a_code_is_good_for_the_right_verifier_client_and_address_alone_and_once(one: Desk) -> None:
    anna = one.browser()
    assert await redeemed(one, await sent_back(anna)) == (400, "invalid_grant")
    assert await redeemed(one, await sent_back(anna), client_id="another") == (400, "invalid_grant")
    assert await redeemed(one, await sent_back(anna), redirect_uri="http://elsewhere/") == (400, "invalid_grant")
    back = await sent_back(anna)
    assert await redeemed(one, back) == (400, "invalid_grant")
    assert (await anna.get(back)).status_code == 400, "a code that somebody tried with a wrong verifier is spent"
    assert await redeemed(one, back, code="short") == (400, "invalid_grant")


async def test_an_id_token_of_another_sign_in_is_refused(one: Desk) -> None:
    """Somebody has a victim's browser redeem a code of theirs: the nonce is not the one of the sign-in that was begun."""
    anna = one.browser()
    form = changed(await anna.form(), nonce="another")
    back = (await anna.post(form, name="anna", password=PASSWORD)).headers["location"]
    assert (await anna.get(back)).status_code == 400
    assert not await anna.known()


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
    anna = one.browser()
    answer = await anna.get(changed(await anna.form(), **changes))
    assert (answer.status_code, parse_qs(urlsplit(answer.headers["location"]).query)["error"]) == (303, [error])


async def test_somebody_without_a_role_is_told_whom_to_ask_and_has_no_web_session(one: Desk) -> None:
    await one.site.accounts.add("eva", "Eva Verdi", [], (await one.site.accounts.everybody())[0].password)
    eva = one.browser()
    answer = await eva.sign_in("eva")
    assert (answer.status_code, "Eva Verdi" in answer.text) == (403, True)
    assert not await eva.known()


async def test_a_form_that_is_large_or_does_not_say_so_is_not_read(one: Desk) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"name=" + b"a" * 1000

    anna = await one.signed_in("eva")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    other = one.browser()
    for path in ("/issuer/token", await other.form(), "/ruolo", "/console/dead/grouping/x/y"):
        assert (await anna.client.post(path, content=b"a" * 20_000, headers=form)).status_code == 413, path
        assert (await anna.client.post(path, content=endless(), headers=form)).status_code == 413, path


async def test_a_form_in_a_strange_charset_is_no_defect(one: Desk) -> None:
    body = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n\\ud800\r\n'
        for name in ("name", "password", "ruolo", "what")
    )
    anna = await one.signed_in("eva")
    form = await one.browser().form()
    for charset in ("unicode_escape", "undefined", "punycode", "utf-7", "utf-16", "latin-1"):
        kind = {"Content-Type": f"multipart/form-data; boundary=b; charset={charset}"}
        for path in (form, "/issuer/token", "/ruolo", "/console/dead/grouping/x/y"):
            answer = await anna.client.post(path, content=f"{body}--b--\r\n".encode(), headers=kind)
            assert answer.status_code == 400, (charset, path)


async def test_where_no_provider_answers_the_page_says_so(engines: Engines, tmp_path: Path) -> None:
    async with desk(engines, tmp_path, site_issuer="http://127.0.0.1:1/issuer") as away:
        answer = await away.browser().get("/accedi")
        assert (answer.status_code, "non risponde" in answer.text) == (503, True)


async def test_an_answer_tells_the_browser_what_the_page_may_do(one: Desk) -> None:
    anna = await one.signed_in("eva")
    form = await one.browser().form()
    for path in ("/", "/ruolo", "/esci", "/entra/x", "/console", form, "/nowhere"):
        headers = (await anna.get(path, accept="text/html")).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "unsafe" not in policy, path
        assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store"), path
        assert (headers["referrer-policy"], headers["x-frame-options"]) == ("no-referrer", "DENY"), path


async def test_cookies_are_the_browsers_alone_and_bound_to_the_host_where_there_is_tls(
    engines: Engines, tmp_path: Path
) -> None:
    async with desk(engines, tmp_path) as plain:
        await plain.account()
        cookie = (await plain.browser().sign_in("anna")).headers["set-cookie"].lower()
        assert "ama-site=" in cookie
        assert "httponly; path=/; samesite=lax" in cookie
        assert "secure" not in cookie
    given: dict[str, Any] = {"public_url": "https://ama.example.org", "issuer": "https://ama.example.org/issuer"}
    async with desk(engines, tmp_path, **given) as safe:
        safe.site.settings.site_issuer = f"{safe.base}/issuer"
        cookie = (await safe.browser().get("/accedi")).headers["set-cookie"]
        assert cookie.startswith("__Host-ama-signing-in=")
        assert "HttpOnly" in cookie
        assert "Secure" in cookie
