"""Parts of the console's page, rendered once with the page and then sent as server-sent events when they change.

Invariant: a stream sends a part only when it differs from the one before, so that nothing moves while somebody reads or types. A stream
is short, and the page opens the next one by itself: so it ends soon after the web session of its page, whose token it has.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from markupsafe import escape

from services.operations.console import wording
from services.operations.console.screen import FRAME
from services.operations.console.services_client import Json, NotAllowed, ServicesClient, TokenRefused
from services.web.frame.texts import Said
from services.web.pages import moment

EVERY = 2.0  # seconds between looks
LASTS = 30.0  # seconds of one stream: a token outlives a sign-out, and must not be used for long after it
AGAIN = 250  # milliseconds after which a browser opens the next one
INDICATORS_EVERY = 15.0  # seconds; they are computed anew from all rows
OLD = 60.0  # seconds after which an outbox that is not sent needs attention
ENGINES = ("Kafka", "MongoDB")


class View:
    """The parts of one page, in its language."""

    def __init__(self, client: ServicesClient, token: str, language: str) -> None:
        self._client, self._token, self._language = client, token, language
        self._indicators: Json | None = None
        self._asked = float("-inf")

    async def parts(self) -> dict[str, str]:
        """Render every part, by the name of its event. TokenRefused or NotAllowed when a service answers so."""
        token, now = self._token, asyncio.get_running_loop().time()
        states = await self._client.states(token)
        dead = await self._client.dead(states, token)
        if now - self._asked >= INDICATORS_EVERY:
            self._indicators, self._asked = await self._client.indicators(token), now
        problems = problems_of(states)
        shown: dict[str, dict[str, Any]] = {
            "summary": {"problems": problems},
            "engines": {"engines": _engines(states)},
            "services": {"states": states},
            "dead": {"dead_letters": dead},
            "funnel": {"steps": funnel(self._indicators), "indicators": self._indicators},
        }
        made = {name: FRAME.html(self._language, f"parts/{name}.html", **each) for name, each in shown.items()}
        # Of the translation, the place of the time alone is markup.
        clock = escape(FRAME.text(self._language, wording.UP_TO_DATE)) % {"time": moment(datetime.now(UTC))}
        return made | {"clock": clock}


class Problem(NamedTuple):
    """One thing that needs attention, in a few words, and the heading of its runbook in docs/operations.md."""

    text: Said
    runbook: str


def problems_of(states: dict[str, Json | None]) -> list[Problem]:
    """List all that needs attention; empty when all is well."""
    found: list[Problem] = []
    for name, state in states.items():
        if state is None:
            found.append(_problem(wording.AWAY, "ServiceMissing", service=name))
            continue
        found += [
            _problem(wording.ENGINE_AWAY, "EngineNotReady", service=name, engine=each) for each in state["missing"]
        ]
        if state["relay"] is not None and not state["relay"]["leads"]:
            found.append(_problem(wording.NOBODY_SENDS, "RelayNobodyLeads", service=name))
        if (state["outbox_age"] or 0) > OLD:
            found.append(_problem(wording.NOT_SENT, "OutboxOld", service=name, seconds=round(state["outbox_age"])))
        if any(each["holes"] for each in state["consumers"]):  # the name on the wire; language: kept
            found.append(_problem(wording.GAPS, "Holes", service=name))
    dead = sum(each["dead"] for state in states.values() if state for each in state["consumers"])
    return [*found, *([_problem(wording.DEAD, "DeadLetters", n=dead)] if dead else [])]


def _problem(text: str, runbook: str, **values: Any) -> Problem:
    return Problem(Said(text, values=values), runbook)


def funnel(indicators: Json | None) -> list[tuple[str, int, int]]:
    """List the steps of the path through the programme: its text, how many people, and of how many."""
    if indicators is None:
        return []
    people = indicators["referred"]
    invited = sum(each["invited"] for each in indicators["surveys"])
    answered = sum(each["submitted"] for each in indicators["surveys"])
    counted = [(text, indicators[name], people) for name, text in wording.STEPS.items()]
    return [
        *counted,
        (wording.MEETINGS, indicators["meetings_held"], indicators["meetings_scheduled"]),
        (wording.SURVEYS, answered, invited),
    ]


def _engines(states: dict[str, Json | None]) -> dict[str, list[str]]:
    """List, by engine, the services that get no answer from it."""
    return {each: [name for name, state in states.items() if state and each in state["missing"]] for each in ENGINES}


async def stream(view: View, closing: asyncio.Event, last: str = "") -> AsyncIterator[str]:
    """Send the changed parts every EVERY seconds, for LASTS seconds at most. The browser then asks again, with its own web session, and
    says by the id of its `last` event which parts it shows."""
    shown = dict(each.split("=", 1) for each in last.split("&") if each.count("=") == 1)
    loop = asyncio.get_running_loop()
    end = loop.time() + LASTS
    yield f"retry: {AGAIN}\n\n"
    while loop.time() < end:
        try:
            parts = await view.parts()
        except (TokenRefused, NotAllowed):
            return  # the next request says how it stands
        for name, html in parts.items():
            if shown.get(name) != (now := _digest(html)):
                shown[name] = now
                yield event(name, html, "&".join(f"{part}={digest}" for part, digest in shown.items()))
        try:
            # A plain sleep would delay the stop of the console until the next look.
            await asyncio.wait_for(closing.wait(), EVERY)
        except TimeoutError:
            continue
        return


async def over(language: str) -> AsyncIterator[str]:
    """Send the last event of a page whose web session has ended; the page closes its stream on it."""
    yield event("ended", FRAME.html(language, "parts/ended.html"))


def event(name: str, html: str, id: str = "") -> str:
    """Encode one server-sent event. A line break in the data needs a `data:` line of its own."""
    lines = [f"event: {name}", *(f"data: {line}" for line in html.splitlines()), *([f"id: {id}"] if id else [])]
    return "\n".join(lines) + "\n\n"


def _digest(html: str) -> str:
    return hashlib.sha256(html.encode()).hexdigest()[:16]
