"""The pages of enrolment as people meet them: the service's real application on real engines, one client for each who signs in."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from html import unescape
from html.parser import HTMLParser
from typing import Any
from unittest.mock import patch

import httpx
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.monitoring import CommandListener

import enrolment.app
from services.identity.auth import Role, Who
from services.runtime.service import Service, running
from services.settings import Settings
from tests.helpers.waiting import eventually, late, projected

OURS = ("worker", "desk.", "keys", "consents", "history.", "access", "erased", "answers")  # collections of a page


class Signed:
    """An authenticator that knows these callers by their tokens."""

    def __init__(self) -> None:
        self.callers: dict[str, Who] = {}

    async def who(self, token: str) -> Who:
        """Give the caller whose token it is."""
        return self.callers[token]


class Asked(CommandListener):
    """Counts statements on the collections that pages read and write, by `command collection`."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()

    def started(self, event: Any) -> None:
        """Count a statement on one of these collections."""
        collection = str(event.command.get(event.command_name, ""))
        if collection.startswith(OURS):
            self.counted[f"{event.command_name} {collection.partition('.')[0]}"] += 1

    def succeeded(self, event: Any) -> None:
        """A statement counts when it is sent."""

    def failed(self, event: Any) -> None:
        """A statement that failed counted when it was sent."""


@dataclass
class Site:
    """Enrolment, running, with the statements that it sends."""

    service: Service
    asked: Asked
    signed: Signed = field(default_factory=Signed)

    @property
    def programme(self) -> str:
        return next(name for name in self.service.rules if name.startswith("own"))

    @property
    def partner(self) -> str:
        """The partner that has an agreement."""
        return self.programme.replace("own", "p")

    @property
    def stranger(self) -> str:
        """The partner that has none."""
        return self.programme.replace("own", "q")

    def client(
        self, role: Role | None = None, subject: str = "somebody", partner: str | None = None
    ) -> httpx.AsyncClient:
        """A browser of somebody in this role; without one, of somebody who has not signed in."""
        headers = {"Accept": "text/html", "Accept-Language": "it"}
        if role is not None:
            token = f"{role}/{subject}/{partner}"
            self.signed.callers[token] = Who(role, subject, self.programme, partner)
            headers["Authorization"] = f"Bearer {token}"
        transport = httpx.ASGITransport(self.service.app)
        return httpx.AsyncClient(transport=transport, base_url="http://site", headers=headers, timeout=30)

    def referrer(self, partner: str | None = None) -> httpx.AsyncClient:
        """A browser of somebody at a partner."""
        return self.client(Role.REFERRER, "referrer", partner or self.partner)

    async def do(self, handler: Any, command: Any) -> Any:
        """Run a command in the programme of the test."""
        return await self.service.do(handler, command, self.programme)

    async def noted(self, person: str) -> list[tuple[str, str]]:
        """The role and the purpose of each read in a person's log, oldest first."""
        found = self.service.store["access"].find({"programme": self.programme, "person": person}).sort("_id", 1)
        return [(each["role"], each["what"]) async for each in found]

    async def rows(self, number: int) -> None:
        """Wait until the desk has so many referrals."""

        async def there() -> bool:
            live = await self.service.read_models.live()
            found = await self.service.store[f"desk.g{live}"].count_documents(
                {"programme": self.programme, "worker": {"$exists": True}}
            )
            return bool(found == number)

        await eventually(there)

    async def level(self) -> None:
        """Wait until the consumers have taken everything, so that only a page sends statements."""

        async def taken() -> bool:
            return await projected(self.service) and not await late([self.service])

        await eventually(taken)

    @contextmanager
    def counting(self) -> Iterator[Counter[str]]:
        """Count the statements of the block."""
        self.asked.counted.clear()
        counted: Counter[str] = Counter()
        yield counted
        counted.update(self.asked.counted)


@asynccontextmanager
async def site(settings: Settings) -> AsyncIterator[Site]:
    """Run enrolment with these settings. After its first looks it does nothing by itself for an hour, since a look in the background
    sends statements that a count would take for those of a page."""
    asked = Asked()
    with patch("services.store.mongo.AsyncIOMotorClient", partial(AsyncIOMotorClient, event_listeners=[asked])):
        service = enrolment.app.build(settings)
    found = Site(service, asked)
    service.app.state.auth = found.signed
    with patch("services.runtime.recurring.EVERY", 3600.0):
        async with running(service):
            yield found


class _Fields(HTMLParser):
    """The fields of a page's forms, as a browser would send them."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self._area: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a field with its value."""
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "input" and name and (given.get("type") not in {"radio", "checkbox"} or "checked" in given):
            self.sent[name] = given.get("value", "on")
        elif tag == "textarea":
            self._area, self.sent[name] = name, ""
        elif tag == "select":
            self._select, self.sent[name] = name, ""
        elif tag == "option" and self._select and "selected" in given:
            self.sent[self._select] = given["value"]

    def handle_endtag(self, tag: str) -> None:
        """End a field that has an inside."""
        if tag == "textarea" and self._area:
            self.sent[self._area] = self.sent[self._area].removeprefix("\n")
            self._area = None
        self._select = None if tag == "select" else self._select

    def handle_data(self, data: str) -> None:
        """Take what is inside a field."""
        if self._area:
            self.sent[self._area] += data


def fields_of(page: str) -> dict[str, str]:
    """Give what a browser would send of the page's forms, without the button that is pressed."""
    parser = _Fields()
    parser.feed(page)
    return parser.sent


def text_of(page: str) -> str:
    """The text that a reader sees, with single spaces."""
    main = page[page.index("<main") : page.index("</main>")]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())
