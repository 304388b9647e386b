"""A programme of the test's own in which people live, on everything behind one port; its file can be changed between two starts."""

import shutil
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from services.embedded.home import Home
from services.engines import Engines
from tests.helpers.callers import Caller
from tests.helpers.days import today
from tests.helpers.waiting import eventually

FILES = Path(__file__).parent / "files"
CONSENTS = {"participation": True, "contact": True, "research": True, "partner-feedback": True}


@dataclass
class Living:
    """The folder, the file in it, and the acts of people. `number` makes the ids of programme and partner the test's own."""

    data: Path
    engines: Engines
    number: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    given: dict[str, Any] = field(default_factory=dict)

    @property
    def programme(self) -> str:
        return f"prova-{self.number}"

    @property
    def partner(self) -> str:
        return f"prova-uno-{self.number}"

    @property
    def path(self) -> Path:
        return self.data / "programmes" / "prova.toml"

    def text(self, name: str, *changes: tuple[str, str]) -> str:
        """The text of a file, with the ids of this test and these replacements."""
        text = (FILES / f"{name}.toml").read_text()
        text = text.replace('"prova"', f'"{self.programme}"').replace('"prova-uno"', f'"{self.partner}"')
        for was, becomes in changes:
            assert was in text, was
            text = text.replace(was, becomes)
        return text

    def put(self, name: str, *changes: tuple[str, str]) -> None:
        """Put a file into the folder, in place of the one that is there."""
        self.path.parent.mkdir(exist_ok=True)
        self.path.write_text(self.text(name, *changes))

    def home(self) -> Home:
        """Everything, on the databases of this test."""
        own: dict[str, Any] = {"programmes": self.path.parent, "only": self.programme, "database": f"l{self.number}"}
        return Home(self.data, engines=self.engines, **own, **self.given)

    @asynccontextmanager
    async def up(self) -> AsyncIterator["People"]:
        """Start everything for the block. It begins when all services follow the version that enrolment has published."""
        async with self.home() as home:

            async def follow() -> bool:
                services = home.all_services.services
                published = services["enrolment"].rules.get(self.programme)
                return all(each.rules.get(self.programme) == published for each in services.values())

            await eventually(follow, 30)
            yield People(home, self.programme, self.partner)


def living(data: Path, keys: Path, engines: Engines, **given: Any) -> Living:
    """A folder of the test's own with the keys of all tests, since they share the bus."""
    shutil.copytree(keys, data / "keys")
    return Living(data, engines, given=given)


@dataclass(frozen=True)
class People:
    """Acts of people in the programme, each through the HTTP interface."""

    home: Home
    programme: str
    partner: str

    def caller(self, role: str, subject: str | None = None) -> Caller:
        return Caller(self.home, role, self.programme, subject)

    async def answer(self, role: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """The status and the body of an answer."""
        answer = await self.caller(role)(method, path, body)
        return answer.status_code, answer.json() if answer.content else None

    async def done(self, role: str, method: str, path: str, body: Any = None) -> Any:
        """The body of an answer that must be a success."""
        status, found = await self.answer(role, method, path, body)
        assert status < 300, (path, status, found)
        return found

    async def refer(
        self, municipality: str = "biella", slots: tuple[str, ...] = ("thu-evening",), at: datetime | None = None
    ) -> str:
        """Refer somebody, with all consents."""
        person = {"given_name": "Ada", "family_name": "Prova", "email": "ada@example.org"}
        body: dict[str, Any] = {"partner": self.partner, "person": person}
        body["profile"] = {"municipality": municipality, "slots": list(slots), "travel_km": 60}
        when = {"at": at.isoformat()} if at else {}
        worker = (await self.done("operator", "POST", "/enrolment/referrals", body | when))["worker"]
        consents = {"consents": CONSENTS, "notice": "2026-09"} | when
        await self.done("operator", "POST", f"/enrolment/workers/{worker}/consents", consents)
        return str(worker)

    async def admit(self, worker: str, at: datetime | None = None) -> str:
        """Admit them, and wait until they wait for a seat and their surveys are planned."""
        body = {"at": at.isoformat()} if at else None
        await self.done("operator", "POST", f"/enrolment/workers/{worker}/admission", body)
        await eventually(lambda: self._waits(worker), 60)
        await eventually(lambda: self._asked(worker), 60)
        return worker

    async def _waits(self, worker: str) -> bool:
        seekers = self.home.all_services.services["grouping"].store
        found = (await seekers.by_id("seeker", [f"{self.programme}/{worker}"])).values()
        return any(each["state"]["waits"] for each in found)

    async def _asked(self, worker: str) -> bool:
        return bool(await self.surveys(worker))

    async def surveys(self, worker: str) -> list[dict[str, Any]]:
        """The surveys that are planned for them."""
        found: list[dict[str, Any]] = await self.done("operator", "GET", f"/sessions/workers/{worker}/surveys")
        return found

    async def rooms(self, municipality: str = "biella", slots: tuple[str, ...] = ("thu-evening",)) -> None:
        """Register a place and a facilitator."""
        place = {"title": "Casa", "address": "via Prova 1", "municipality": municipality, "rooms": 5}
        await self.done("operator", "PUT", "/grouping/places/casa", place)
        leader = {"municipality": municipality, "slots": list(slots), "groups": 5}
        await self.done("operator", "PUT", "/grouping/facilitators/anna", leader)

    async def form(self, *workers: str, first: date, slot: str = "thu-evening") -> str:
        """Form a group of these."""
        body = {"members": list(workers), "slot": slot, "place": "casa", "facilitator": "anna", "first": str(first)}
        return str((await self.done("operator", "POST", "/grouping/groups", body))["group"])

    async def calendar(self, group: str) -> list[str]:
        """The days and times of the group's meetings, once they are scheduled."""
        path = f"/sessions/groups/{group}/sessions"

        async def scheduled() -> bool:
            status, found = await self.answer("operator", "GET", path)
            return status == 200 and len(found) == 4

        await eventually(scheduled, 60)
        return [each["starts"] for each in await self.done("operator", "GET", path)]

    async def propose(self) -> dict[str, Any]:
        """The proposal for everybody who waits."""
        found: dict[str, Any] = await self.done("operator", "POST", "/grouping/proposals", {"on": str(today())})
        return found


def a_day(isoweekday: int, weeks: int = 2) -> date:
    """The day of the week so many weeks from now."""
    day = today() + timedelta(weeks=weeks)
    return day + timedelta(days=(isoweekday - day.isoweekday()) % 7)
