"""People who act on a deployment: programs with a token, and browsers that sign in with an account.

Invariant: every request goes through Caddy, at the address that a browser has.
"""

import re
import time
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import httpx
from playwright.sync_api import Page

from services.programmes import load_all
from tests.compose.stack import Stack

PROGRAMME, SLOT, PLACE = "monza-brianza", "mon-evening", "sala-prova"
LEADER = f"{PLACE}-leader"
CONSENTS = {"participation": True, "contact": True, "research": True, "partner-feedback": True}
PASSWORD = re.compile(r"^[a-z0-9]{4}(?:-[a-z0-9]{4}){3}$", re.MULTILINE)
PATIENCE = 240.0  # seconds for an event to take effect in another service


def a_past_monday() -> date:
    """The Monday two weeks ago: a meeting of that day can have its roll-call."""
    today = datetime.now().astimezone().date()
    return today - timedelta(days=today.weekday() + 14)


def until(what: str, check: Callable[[], Any]) -> Any:
    """Wait until `check` gives something true, and return that."""
    deadline, last = time.monotonic() + PATIENCE, None
    while time.monotonic() < deadline:
        if last := check():
            return last
        time.sleep(0.5)
    raise AssertionError(f"not within {PATIENCE:.0f} s: {what}; last seen {last!r}")


class Office:
    """An operator's program, which prepares what a test of pages needs."""

    def __init__(self, stack: Stack) -> None:
        self.stack, self.base = stack, f"http://{stack.base()}"
        words = ("exec", "-T", "site", "ama", "token", "--role", "operator", "--programme", PROGRAMME)
        headers = {"Authorization": f"Bearer {stack.compose(*words).strip()}"}
        self.client = httpx.Client(base_url=self.base, headers=headers, timeout=60, trust_env=False)

    def account(self, login: str, *grants: str) -> str:
        """Add an account. Gives its password."""
        named = [word for grant in grants for word in ("--grant", grant)]
        words = ("exec", "-T", "site", "ama", "accounts", "add", login, "--name", f"{login.title()} Prova", *named)
        found = PASSWORD.search(self.stack.compose(*words))
        assert found
        return found[0]

    def admit(self, family_name: str) -> str:
        """Refer somebody who consents to everything, and admit them. Gives their id."""
        person = {"given_name": "Ada", "family_name": family_name}
        profile = {"municipality": "monza", "slots": [SLOT]}
        body = {"partner": "cgil", "person": person, "profile": profile}
        worker = str(self.ask("POST", "/enrolment/referrals", body)["worker"])
        self.consents(worker)
        self.ask("POST", f"/enrolment/workers/{worker}/admission")
        return worker

    def consents(self, worker: str) -> None:
        """Record all consents of somebody."""
        notice = load_all()[PROGRAMME].notice.version
        body = {"consents": CONSENTS, "notice": notice, "how": "in-person"}
        self.ask("POST", f"/enrolment/workers/{worker}/consents", body)

    def group_of(self, members: Sequence[str]) -> str:
        """Form a group once grouping knows its members, with a place and a facilitator of its own. Gives its id."""
        place = {"title": "Sala Prova", "address": "Via Prova 1", "municipality": "monza"}
        self.ask("PUT", f"/grouping/places/{PLACE}", place)
        self.ask("PUT", f"/grouping/facilitators/{LEADER}", {"municipality": "monza", "slots": [SLOT]})
        parts = {"slot": SLOT, "place": PLACE, "facilitator": LEADER, "first": str(a_past_monday())}

        def formed() -> Any:
            answer = self.client.post("/grouping/groups", json={"members": list(members), **parts})
            assert answer.status_code == 201 or answer.json()["code"] in {"no-such-seeker", "not-waiting"}, answer.text
            return answer.json().get("group")

        return str(until("grouping knows the members", formed))

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request that must succeed. Gives its answer's document, or None."""
        answer = self.client.request(method, path, json=body)
        assert answer.is_success, (method, path, answer.text)
        return answer.json() if answer.content else None


def sign_in(page: Page, base: str, login: str, password: str) -> None:
    """Sign in by the form, up to the page on which somebody begins."""
    page.goto(f"{base}/accedi")
    page.fill("[name=name]", login)
    page.fill("[name=password]", password)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "/issuer/" not in address and "/accedi" not in address)


def sign_out(page: Page, base: str) -> None:
    """Sign out; the next page asks to sign in again."""
    page.goto(f"{base}/esci")
    page.click("#leave")
    page.goto(f"{base}/ruolo")
    assert "/issuer/authorize" in page.url, page.url
