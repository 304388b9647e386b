"""The site through the real Caddy: everybody signs in, does one thing of their work, and signs out; nobody else gets in.

The tests of a module follow each other on one deployment.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from services.web.frame.addresses import FRONT, SEGMENTS
from tests.compose.acting import LEADER, PROGRAMME, Office, sign_in, sign_out, until
from tests.compose.stack import Stack
from tests.helpers.browser import executable

pytestmark = pytest.mark.timeout(1500)
GRANTS = {
    "ugo": f"referrer:{PROGRAMME}:cgil",
    "olga": f"operator:{PROGRAMME}",
    "franca": f"facilitator:{PROGRAMME}:{LEADER}",
    "carla": f"coordinator:{PROGRAMME}",
    "sara": f"system-operator:{PROGRAMME}",
}
LANDING = {"ugo": "/segnalazioni", "olga": "/oggi", "franca": "/gruppo", "carla": "/andamento", "sara": "/console"}
FAMILY, EMAIL = "Quagliotto", "zelmira.quagliotto@example.org"
LINK = re.compile(r"https?://\S+/entra/\S+")
PAGES = [f"/{segment}" for segment, owner in SEGMENTS.items() if owner != FRONT and segment != "questionario"]
GUARDED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@pytest.fixture(scope="module")
def office(stack: Stack) -> Office:
    """The deployment with mail, and an operator's program."""
    mail = ("--profile", "mail", "up", "--detach", "--wait", "mailpit", "notifications")
    (stack.folder / ".env").open("a").write("AMA_SMTP=smtp://mailpit:1025\n")
    stack.compose(*mail)
    return Office(stack)


@pytest.fixture(scope="module")
def passwords(office: Office) -> dict[str, str]:
    """The password of an account for each role."""
    return {login: office.account(login, grant) for login, grant in GRANTS.items()}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=executable(), args=["--no-sandbox"])
        yield one
        one.close()


Signed = Callable[[str], Page]


@pytest.fixture
def signed(office: Office, passwords: dict[str, str], browser: Browser) -> Iterator[Signed]:
    """Sign somebody in, in a browser of their own, on a telephone."""
    contexts = []

    def opened(login: str) -> Page:
        context = browser.new_context(viewport={"width": 360, "height": 780}, locale="it-IT")
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
        sign_in(page, office.base, login, passwords[login])
        assert page.url.partition("?")[0] == office.base + LANDING[login]
        return page

    yield opened
    for each in contexts:
        each.close()


def body(page: Page) -> str:
    return page.locator("main").inner_text()


def sends(page: Page, step: str | None = None) -> None:
    """Press the button of the form; `step`: the one of this step."""
    chosen = "[type=submit]" if step is None else f"[name=step][value={step}]"
    with page.expect_navigation():
        page.locator(f"main button{chosen}").first.click()


def by_form(browser: httpx.Client, base: str, login: str, password: str) -> httpx.Response:
    """Sign in without a browser. `browser` keeps the cookie."""
    form = browser.get("/accedi").headers["location"]
    sent = browser.post(form, data={"name": login, "password": password}, headers={"Origin": base})
    return browser.get(sent.headers["location"])


@pytest.fixture(scope="module")
def referred() -> dict[str, str]:
    """The person whom the tests of this module refer, and their group."""
    return {}


def test_a_union_desk_refers_somebody(office: Office, signed: Signed, referred: dict[str, str]) -> None:
    page = signed("ugo")
    page.goto(f"{office.base}/segnalazioni/nuova")
    page.fill("[name=given_name]", "Zelmira")
    page.fill("[name=family_name]", FAMILY)
    page.fill("[name=email]", EMAIL)
    page.select_option("select[name=municipality]", "monza")
    for purpose in ("participation", "contact", "research", "partner-feedback"):
        page.check(f"input[name='consents.{purpose}'][value=yes]")
    page.check("input[name=how][value=in-person]")
    sends(page)
    assert FAMILY in body(page), "check the answers"
    sends(page, "done")
    found = re.search(r"/segnalazioni/([A-Za-z0-9-]+)", page.url)
    assert found, page.url
    referred["worker"] = found[1]
    sign_out(page, office.base)


def test_an_operator_finds_the_person_by_name_admits_them_and_sends_their_link(
    office: Office, signed: Signed, referred: dict[str, str]
) -> None:
    page = signed("olga")

    def found() -> bool:
        page.goto(f"{office.base}/persone")
        page.fill("[name=nome]", FAMILY.upper())
        sends(page)
        return bool(page.locator(f"main a[href^='/persone/{referred['worker']}']").count())

    until("the search knows the person", found)
    page.goto(f"{office.base}/persone/{referred['worker']}/ammissione")
    sends(page)
    sends(page, "done")
    page.goto(f"{office.base}/persone/{referred['worker']}")
    with page.expect_navigation():
        page.locator("form[action$='/collegamento'] button").click()
    sign_out(page, office.base)


def test_whoever_facilitates_calls_the_roll_by_names(office: Office, signed: Signed, referred: dict[str, str]) -> None:
    others = [office.admit(f"Altra{number}") for number in range(9)]
    office.group_of([referred["worker"], *others])
    page = signed("franca")
    roll = page.locator("main a.btn[href^='/gruppo/incontri/']")

    def scheduled() -> bool:
        page.goto(f"{office.base}/gruppo")
        return bool(roll.count())

    until("the meetings are scheduled", scheduled)
    with page.expect_navigation():
        roll.first.click()

    def named() -> bool:
        page.reload()
        return "Zelmira Q." in body(page) and page.locator("input[type=radio][value=presente]").count() == 10

    until("names come from enrolment, on one page of two services", named)
    for box in page.locator("input[type=radio][value=presente]").all():
        box.check()
    sends(page)
    assert not page.title().startswith("Errore")
    assert page.locator("input[type=radio][value=presente]:checked").count() in (0, 10)
    sign_out(page, office.base)


def test_a_coordinator_sees_figures_and_the_operator_of_the_system_the_console(office: Office, signed: Signed) -> None:
    page = signed("carla")
    assert "Quagliotto" not in body(page)
    assert page.locator("main table").count() >= 1
    sign_out(page, office.base)
    page = signed("sara")
    for service in ("enrolment", "grouping", "sessions", "notifications", "analytics"):
        assert page.get_by_text(service).count(), service
    sign_out(page, office.base)


def test_the_person_opens_their_page_by_the_link_of_their_mail(
    stack: Stack, office: Office, browser: Browser, referred: dict[str, str]
) -> None:
    port = stack.compose("port", "mailpit", "8025").strip()

    def link() -> str | None:
        listed = httpx.get(f"http://{port}/api/v1/messages", trust_env=False).json()["messages"]
        mine = [each["ID"] for each in listed if each["To"][0]["Address"] == EMAIL]
        texts = [httpx.get(f"http://{port}/api/v1/message/{each}", trust_env=False).json()["Text"] for each in mine]
        return next((found[0].rstrip(".,)") for text in texts if (found := LINK.search(text))), None)

    address = str(until("the mail with the link is there", link))
    assert address.startswith(office.base), "the link leads to the public address"
    context = browser.new_context(viewport={"width": 360, "height": 780}, locale="it-IT", java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    sends(page)
    assert page.url == f"{office.base}/me"
    assert "Zelmira" in body(page)
    page.goto(f"{office.base}/me/consensi")
    assert page.locator("main form").count() == 1
    page.goto(f"{office.base}/persone/{referred['worker']}")
    assert FAMILY not in page.content(), "the sheet is for operators"
    page.goto(f"{office.base}/esci")
    page.click("#leave")
    page.goto(address)
    sends(page)
    assert "/entra/" in page.url, "the link opens once"
    context.close()


@pytest.mark.parametrize("login", GRANTS)
def test_no_page_of_another_role_opens(office: Office, passwords: dict[str, str], login: str) -> None:
    with httpx.Client(base_url=office.base, timeout=60, trust_env=False) as browser:
        assert by_form(browser, office.base, login, passwords[login]).status_code == 303
        seen = {path: browser.get(path).status_code for path in PAGES}
    opened = {path for path, status in seen.items() if status < 300}
    assert opened <= OPEN_FOR[login], opened - OPEN_FOR[login]
    assert LANDING[login] in opened | {"/console"}
    assert not {path: status for path, status in seen.items() if status >= 500}


OPEN_FOR = {
    "ugo": {"/segnalazioni"},
    "olga": {f"/{each}" for each in SEGMENTS} - {"/segnalazioni", "/me", "/gruppo", "/console"},
    "franca": {"/gruppo"},
    "carla": {"/andamento", "/andamento.csv"},
    "sara": set[str](),
}


def test_nobody_gets_a_page_or_an_answer_without_signing_in(office: Office) -> None:
    described: dict[str, Any] = {}
    with httpx.Client(base_url=office.base, timeout=60, trust_env=False) as stranger:
        for path in PAGES:
            answer = stranger.get(path)
            assert answer.status_code in {303, 401, 404, 405}, (path, answer.status_code)
        for service in ("enrolment", "grouping", "sessions", "notifications", "analytics"):
            described = stranger.get(f"/{service}/openapi.json").json()["paths"]
            for path, methods in described.items():
                for method, about in methods.items():
                    if "security" not in about:
                        continue
                    answer = stranger.request(method.upper(), re.sub(r"\{[^}]*\}", "abc", path))
                    assert answer.status_code in {303, 401, 404, 405}, (method, path, answer.status_code)


def test_every_answer_has_the_headers_that_browsers_go_by(office: Office) -> None:
    with httpx.Client(base_url=office.base, timeout=60, trust_env=False) as stranger:
        for path in (
            "/",
            "/accedi",
            "/oggi",
            "/enrolment/docs",
            "/issuer/jwks.json",
            "/nowhere",
            "/enrolment/ops/state",
        ):
            answer = stranger.get(path)
            assert {name: answer.headers.get(name) for name in GUARDED} == GUARDED, path
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], path
            assert "Server" not in answer.headers


def test_a_change_that_another_site_asks_for_is_refused_whatever_the_request_says(
    office: Office, passwords: dict[str, str]
) -> None:
    with httpx.Client(base_url=office.base, timeout=60, trust_env=False) as browser:
        by_form(browser, office.base, "olga", passwords["olga"])
        for path in ("/esci", "/ruolo", "/persone", "/enrolment/referrals"):
            for asked in (
                {"Sec-Fetch-Site": "cross-site"},
                {"Sec-Fetch-Site": "same-site", "X-Forwarded-Method": "GET"},
                {"Origin": "https://elsewhere.example"},
                {"Origin": "null", "X-HTTP-Method-Override": "GET"},
                {
                    "Origin": "https://elsewhere.example",
                    "X-Forwarded-Method": "GET",
                    "Connection": "X-Forwarded-Method",
                },
            ):
                assert browser.post(path, data={"x": "y"}, headers=asked).status_code == 403, (path, asked)
        assert browser.get("/oggi").status_code == 200, "still signed in"


def test_a_restart_of_everything_signs_nobody_out(stack: Stack, office: Office, passwords: dict[str, str]) -> None:
    with httpx.Client(base_url=office.base, timeout=60, trust_env=False) as browser:
        by_form(browser, office.base, "olga", passwords["olga"])
        stack.compose("restart", "--timeout", "60")
        stack.until("all is healthy again", stack.healthy)
        assert browser.get("/oggi").status_code == 200
        before = dict(browser.cookies)
        browser.post("/esci", headers={"Origin": office.base})
        assert browser.get("/oggi", cookies=before).status_code == 303, "the cookie opens nothing any more"
