"""What the page shows, and shows anew as it changes: the same parts, made once with the page and then sent as server-sent events.

Invariant: once a stream has begun, a part is sent only when it differs from what the page shows, so that nothing moves under who reads or
types; a stream ends with the session whose page it is, and when the console stops.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from services.identity.web_session import WebSession, WebSessions
from services.operations.console.screen import site
from services.operations.console.services_client import Asking, MayNot, Stranger, Told
from services.operations.console.wording import WORDS
from services.web.pages import moment

EVERY = 2.0  # seconds between looks
INDICATORS_EVERY = 15.0  # seconds; they are computed anew from all rows
OLD = 60.0  # seconds after which an outbox that is not sent needs attention
ENGINES = ("Kafka", "MongoDB")


class View:
    """What one page shows, in its language."""

    def __init__(self, asking: Asking, session: WebSession, language: str) -> None:
        self._asking, self._session, self._language = asking, session, language
        self._indicators: Told | None = None
        self._asked = float("-inf")

    async def parts(self) -> dict[str, str]:
        """Every part, by the event that it is sent as. Stranger or MayNot when the services say so."""
        token, now = self._session.token, asyncio.get_running_loop().time()
        states = await self._asking.states(token)
        letters = await self._asking.dead(states, token)
        if now - self._asked >= INDICATORS_EVERY:
            self._indicators, self._asked = await self._asking.indicators(token), now
        problems = problems_of(states, WORDS[self._language])
        shown: dict[str, dict[str, Any]] = {
            "summary": {"problems": problems},
            "engines": {"engines": _engines(states)},
            "services": {"states": states},
            "dead": {"letters": letters},
            "funnel": {"steps": funnel(self._indicators), "told": self._indicators},
        }
        made = {name: site().part(f"parts/{name}.html", self._language, **each) for name, each in shown.items()}
        return made | {"clock": WORDS[self._language]["ask-again"].format(moment(datetime.now(UTC)))}


class Problem(NamedTuple):
    """What needs attention, in a few words, and the heading of the runbook that says what to do."""

    said: str
    runbook: str


def problems_of(states: dict[str, Told | None], words: dict[str, str]) -> list[Problem]:
    """All that needs attention; nothing when all is well."""
    found: list[Problem] = []
    for name, told in states.items():
        if told is None:
            found.append(Problem(words["problem-away"].format(name), "ServiceMissing"))
            continue
        found += [Problem(words["problem-engine"].format(name, each), "EngineNotReady") for each in told["missing"]]
        if told["relay"] is not None and not told["relay"]["leads"]:
            found.append(Problem(words["problem-relay"].format(name), "RelayNobodyLeads"))
        if (told["outbox_age"] or 0) > OLD:
            found.append(Problem(words["problem-old"].format(name, round(told["outbox_age"])), "OutboxOld"))
        if any(each["holes"] for each in told["consumers"]):
            found.append(Problem(words["problem-holes"].format(name), "Holes"))
    dead = sum(each["dead"] for told in states.values() if told for each in told["consumers"])
    return [*found, *([Problem(words["problem-dead"].format(dead), "DeadLetters")] if dead else [])]


def funnel(told: Told | None) -> list[tuple[str, int, int]]:
    """The steps of the thread: a word, how many, and of how many."""
    if told is None:
        return []
    people = told["referred"]
    invited = sum(each["invited"] for each in told["surveys"])
    answered = sum(each["submitted"] for each in told["surveys"])
    steps = [("referred", "referred"), ("admitted", "admitted"), ("waiting", "waiting"), ("seated", "seated")]
    steps += [("taken-part", "took_part"), ("withdrawn", "withdrawn"), ("found-work", "found_work")]
    counted = [(word, told[name], people) for word, name in steps]
    return [*counted, ("meetings", told["meetings_held"], told["meetings_scheduled"]), ("surveys", answered, invited)]


def _engines(states: dict[str, Told | None]) -> dict[str, list[str]]:
    """The services that each engine does not answer."""
    return {each: [name for name, told in states.items() if told and each in told["missing"]] for each in ENGINES}


async def stream(
    view: View, sessions: WebSessions, session: WebSession, closing: asyncio.Event, language: str
) -> AsyncIterator[str]:
    """Server-sent events until the session ends or the console stops."""
    shown: dict[str, str] = {}
    while sessions.lasts(session):
        try:
            parts = await view.parts()
        except (Stranger, MayNot):
            break
        for name, html in parts.items():
            if shown.get(name) != html:
                yield event(name, html)
        shown = parts
        try:
            await asyncio.wait_for(closing.wait(), EVERY)
        except TimeoutError:
            continue
        return
    async for last in over(language):
        yield last


async def over(language: str) -> AsyncIterator[str]:
    """What a page is told whose session is no more: it asks no further."""
    yield event("ended", site().part("parts/ended.html", language))


def event(name: str, html: str) -> str:
    """One event; of each line of its data the browser makes one line."""
    return f"event: {name}\n" + "".join(f"data: {line}\n" for line in html.splitlines()) + "\n"
