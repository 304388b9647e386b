"""Enrolment alone on real engines, in a programme of its own, with clients that look at its pages."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from typing import Any

import httpx

import enrolment.app
from enrolment import commands as do
from services.contracts.enrolment import How, Purpose, WorkerProfiled
from services.identity.auth import Role
from services.runtime.service import Service, running
from services.settings import Settings
from tests.helpers.callers import client_as
from tests.helpers.waiting import eventually

PROFILE = WorkerProfiled(municipality="monza", travel_km=15, slots=("mon-evening",))


@dataclass
class Office:
    """The service, and what people at the desk of the programme do with its pages."""

    service: Service
    client: httpx.AsyncClient

    @property
    def programme(self) -> str:
        return next(iter(self.service.rules))

    @property
    def partner(self) -> str:
        return self.programme.replace("own", "p")

    async def do(self, handler: Any, command: Any) -> Any:
        return await self.service.do(handler, command, self.programme)

    async def refer(self, given: str = "Ada", family: str = "Prova", **more: Any) -> str:
        """Refer somebody; their id."""
        card = {"given_name": given, "family_name": family, "language": "it", **more.pop("card", {})}
        made = await self.do(do.refer, do.Refer(partner=self.partner, card=card, **more))
        return str(made["worker"])

    async def consent(self, worker: str, *purposes: Purpose, given: bool = True, how: How | None = None) -> None:
        decided = dict.fromkeys(purposes or (Purpose.PARTICIPATION,), given)
        notice = self.service.rules[self.programme].notice.version
        await self.do(do.decide_consent, do.DecideConsent(worker=worker, given=decided, notice=notice, how=how))

    async def get(self, address: str, status: int = 200) -> str:
        """The page at this address, as HTML without entities."""
        answer = await self.client.get(address)
        assert answer.status_code == status, (answer.status_code, answer.text)
        return unescape(answer.text)

    async def post(self, address: str, status: int, **typed: str) -> str:
        """The page, or the address to which it leads, after a form was sent."""
        answer = await self.client.post(address, data={name.replace("__", "."): each for name, each in typed.items()})
        assert answer.status_code == status, (answer.status_code, text_of(answer.text))
        return answer.headers["location"] if status == 303 else unescape(answer.text)

    async def level(self) -> None:
        """Wait until the read models have everything."""

        async def caught_up() -> bool:
            return all([await each.caught_up() for each in self.service.runners.values()])

        await eventually(caught_up)

    async def accesses(self, worker: str) -> list[str]:
        """The purposes in somebody's log of accesses."""
        where = {"programme": self.programme, "person": worker}
        return [each["what"] async for each in self.service.store["access"].find(where).sort("_id", 1)]


@asynccontextmanager
async def office(settings: Settings) -> AsyncIterator[Office]:
    """Enrolment runs, and an operator looks at it."""
    async with running(enrolment.app.build(settings)) as service:
        client = client_as(service.app, Role.OPERATOR, next(iter(service.rules)), "operator-1")
        async with client:
            yield Office(service, client)


def text_of(html: str) -> str:
    """The words of a page's main part."""
    main = html.partition("<main")[2].partition("</main>")[0]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", main)).split())
