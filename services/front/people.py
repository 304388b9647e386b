"""People who are signed in: who they are, what they may be, and what they chose, kept in sealed web sessions.

Invariants: a web session ends after a time without a request of its person (an open page makes none), after a longest time, by signing out,
and with its account. A new sign-in always gets a new secret, so that nobody can have planted it in the browser before.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from services.front.accounts import Accounts
from services.front.grants import Grant
from services.front.sealed import Clock, Sealed, utc
from services.identity.auth import Who
from services.identity.settings import SiteSettings
from services.store.mongo import Store

COLLECTION = "web_sessions"
WORKERS = timedelta(minutes=30)  # a web session of a personal link: links are opened on telephones that others hold too
NOTED = timedelta(seconds=20)  # between two notes of use: not every request has to write


@dataclass(frozen=True, slots=True)
class Person:
    """A person who signed in. `generation`: of the account of our own issuer; None for people of another provider or of a personal link."""

    subject: str
    name: str
    grants: tuple[Grant, ...]
    id_token: str = ""
    generation: int | None = None


@dataclass(frozen=True, slots=True)
class WebSession:
    """One person in one browser. `secret` is the content of the cookie."""

    secret: str
    person: Person
    chosen: Grant | None
    ends: datetime

    @property
    def who(self) -> Who | None:
        """The caller that services see; None before a role is chosen."""
        return None if self.chosen is None else self.chosen.who(self.person.subject, self.person.name)

    @property
    def worker(self) -> bool:
        """True for a web session of a personal link."""
        return any(each.worker for each in self.person.grants)


class WebSessions:
    """Keeps the web sessions of this installation."""

    def __init__(self, store: Store, accounts: Accounts, settings: SiteSettings, clock: Clock = utc) -> None:
        self._kept, self._accounts, self._clock = Sealed(store, COLLECTION, clock), accounts, clock
        self._idle, self._longest = timedelta(minutes=settings.site_idle), timedelta(hours=settings.site_longest)

    async def prepare(self) -> None:
        """Make the collection and its index."""
        await self._kept.prepare()

    async def begin(self, person: Person, chosen: Grant | None, lasts: timedelta | None = None) -> WebSession:
        """Open a web session under a new secret. `lasts`: another longest time than that of the settings."""
        now = self._clock()
        ends = now + (lasts or self._longest)
        until = min(ends, now + self._idle)
        secret = await self._kept.keep(_written(person, chosen), until, used=now, ends=ends)
        return WebSession(secret, person, chosen, ends)

    async def find(self, secret: str, by_person: bool = True) -> WebSession | None:
        """Find the web session of a cookie. `by_person`: a person made the request, so the time without one starts anew."""
        found = await self._kept.find(secret)
        if found is None:
            return None
        content, document = found
        person, chosen = _read(content)
        if person.generation is not None:
            current = await self._current(person)
            if current is None:
                await self._kept.end(secret)
                return None
            person = current
        if by_person:  # else an open page, which asks by itself, would keep its web session alive for ever
            await self._note_use(secret, document)
        return WebSession(secret, person, chosen if chosen in person.grants else None, document["ends"])

    async def choose(self, session: WebSession, grant: Grant) -> WebSession:
        """Go on as another one of the person's grants."""
        await self._kept.change(session.secret, _written(session.person, grant))
        return replace(session, chosen=grant)

    async def end(self, session: WebSession) -> None:
        """End a web session at once, in every copy and every place that holds its cookie."""
        await self._kept.end(session.secret)

    async def _current(self, person: Person) -> Person | None:
        """Give the person as their account is now; None when it is disabled, gone, or has another password."""
        account = await self._accounts.find(person.subject)
        if account is None or account.disabled or account.generation != person.generation:
            return None
        return replace(person, name=account.name, grants=account.grants)

    async def _note_use(self, secret: str, document: dict[str, Any]) -> None:
        now = self._clock()
        if now - document["used"] >= NOTED:
            await self._kept.change(secret, used=now, expires=min(document["ends"], now + self._idle))


def _written(person: Person, chosen: Grant | None) -> dict[str, Any]:
    return {
        "subject": person.subject,
        "name": person.name,
        "grants": [each.model_dump(mode="json") for each in person.grants],
        "id_token": person.id_token,
        "generation": person.generation,
        "chosen": chosen and chosen.model_dump(mode="json"),
    }


def _read(content: dict[str, Any]) -> tuple[Person, Grant | None]:
    grants = tuple(Grant.model_validate(each) for each in content["grants"])
    person = Person(content["subject"], content["name"], grants, content["id_token"], content["generation"])
    return person, content["chosen"] and Grant.model_validate(content["chosen"])
