"""Enrolment and grouping publish and sessions reacts, in a programme of the test's own, where two make a group.

Invariant: the three services start once for a file, with as many programmes as it has tests. Each test gets the next one, so it shares no
person, group or row with another.
"""

import uuid
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio

import enrolment.app
import grouping.app
import sessions.app
from enrolment import commands as enrol
from grouping.membership import commands as group
from grouping.registers import commands as register
from services import programmes, vault
from services.contracts import decode
from services.contracts.enrolment import Leaving, Purpose, WorkerProfiled
from services.engines import Engines
from services.identity.auth import Role
from services.runtime.service import Service, running
from services.settings import Settings
from services.store.work import Work
from sessions.domain import survey_id
from tests.helpers.callers import client_as
from tests.helpers.days import today
from tests.helpers.services import settings_on
from tests.helpers.waiting import eventually

CARD = {"given_name": "Ada", "family_name": "Prova", "email": "ada@example.org", "language": "it"}


@pytest.fixture
def own(settings: Settings, tmp_path: Path) -> Settings:
    """Settings with one more programme, like Monza's, with partners' names of its own."""
    return settings.model_copy(update={"programmes": tmp_path, "only": written(tmp_path)})


def written(folder: Path) -> str:
    """Write a programme's file into the folder. Gives its id, `own{n}`."""
    number = uuid.uuid4().hex[:8]
    text = (Path(programmes.__file__).parent / "monza-brianza.toml").read_text()
    head, partners, rest = _parted(text)
    text = head + partners.replace('id = "', f'id = "{number}-') + rest
    text = text.replace('id = "monza-brianza"', f'id = "own{number}"').replace("min = 10", "min = 2")
    text = text.replace(
        'calendar = "IT-MB"\n', ""
    )  # else the days on which groups meet depend on the day on which tests run
    # It lasts: tests give dates that are some weeks from the day on which they run.
    text = (
        text.replace("2026-09-01", "2020-01-01").replace("2028-02-29", "2099-12-31").replace("2027-08-31", "2099-12-31")
    )
    (folder / f"own{number}.toml").write_text(text)
    return f"own{number}"


def _parted(text: str) -> tuple[str, str, str]:
    start, end = text.index("[[partners]]"), text.index("[[slots]]")
    return text[:start], text[start:end], text[end:]


@dataclass
class World:
    """Three services, and the actions of people there."""

    enrolment: Service
    grouping: Service
    sessions: Service
    programme: str

    async def admitted(self, *purposes: Purpose, at: datetime | None = None) -> str:
        """Admit somebody who consents to participate and to these purposes, all at that time; returns their id."""
        partner = next(each.id for each in self.enrolment.rules[self.programme].partners if each.may_refer)
        profile = WorkerProfiled(municipality="monza", travel_km=30, slots=("thu-evening",))
        refer = enrol.Refer(partner=partner, card=CARD, profile=profile, at=at)
        worker = str((await self.enrolment.do(enrol.refer, refer, self.programme))["worker"])
        for purpose in {Purpose.PARTICIPATION, *purposes}:
            await self.consent(worker, purpose, given=True, at=at)
        await self.enrolment.do(enrol.admit, enrol.Admit(worker=worker, at=at), self.programme)
        return worker

    async def consent(self, worker: str, purpose: Purpose, *, given: bool, at: datetime | None = None) -> None:
        """Give or withdraw a consent."""
        notice = self.enrolment.rules[self.programme].notice.version
        decision = enrol.DecideConsent(worker=worker, given={purpose: given}, notice=notice, at=at)
        await self.enrolment.do(enrol.decide_consent, decision, self.programme)

    async def withdraw(self, worker: str, at: datetime | None = None) -> None:
        leave = enrol.Withdraw(worker=worker, reason=Leaving.NO_TIME, at=at)
        await self.enrolment.do(enrol.withdraw, leave, self.programme)

    async def erase(self, worker: str) -> None:
        await self.enrolment.do(enrol.erase, enrol.Erase(worker=worker), self.programme)

    async def waiting(self, *workers: str) -> None:
        """Wait until all of these wait for a seat."""

        async def there() -> bool:
            found = await self.grouping.store.by_id("seeker", [f"{self.programme}/{worker}" for worker in workers])
            return sum(bool(each["state"]["waits"]) for each in found.values()) == len(workers)

        await eventually(there)

    async def join(self, worker: str, to: str, since: date) -> None:
        """Give one more person a seat from that day on."""
        await self.waiting(worker)
        await self.grouping.do(group.join, group.Join(group=to, worker=worker, since=since), self.programme)

    async def seat(self, *workers: str, facilitator: str, first: date | None = None) -> str:
        """Form a group of these, of which two meetings could have been held; returns its id."""
        await self.waiting(*workers)
        place = register.RegisterPlace(
            place="casa", title="Casa", address="via Correggio 59", rooms=9, access=True, municipality="monza"
        )
        await self.grouping.do(register.register_place, place, self.programme)
        await self.facilitator(facilitator)
        form = group.Form(
            members=list(workers),
            slot="thu-evening",
            place="casa",
            facilitator=facilitator,
            first=first or three_weeks_ago(),
        )
        formed = await self.grouping.do(group.form, form, self.programme)
        return str(formed["group"])

    async def facilitator(self, id: str) -> None:
        """Register somebody who is free in the slot of all groups here."""
        leader = register.RegisterFacilitator(
            facilitator=id, travel_km=30, slots=frozenset({"thu-evening"}), groups=9, municipality="monza"
        )
        await self.grouping.do(register.register_facilitator, leader, self.programme)

    def client(self, role: Role, subject: str = "somebody") -> httpx.AsyncClient:
        """A client of sessions whose token was found good already."""
        return client_as(self.sessions.app, role, self.programme, subject)

    def browser(self) -> httpx.AsyncClient:
        """A client without a token."""
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.sessions.app), base_url="http://sessions")

    async def link(self, worker: str, instrument: str = "ama-own", wave: str = "T0", number: int = 1) -> str:
        """The path of the personal link that notifications is given; `number`: of so many links to this survey, the newest."""

        async def linked() -> list[dict[str, Any]]:
            found = await self.published(
                "survey.linked", "ama.sessions.restricted", key=survey_id(worker, instrument, wave)
            )
            return found if len(found) == number else []

        event = decode((await eventually(linked))[-1]["value"])
        rules = self.sessions.rules[self.programme]
        key = await self.sessions.commanding.query(_key_of, rules, worker)
        data = orjson.loads(vault.decrypt_payload(key, event.data))
        return f"/questionario/{data['token']}"

    async def change(self, worker: str, wave: str = "T0", **state: Any) -> None:
        """Change the stored state of a survey."""
        id = f"{self.programme}/{survey_id(worker, 'ama-own', wave)}"
        changes = {f"state.{name}": value for name, value in state.items()}
        done = await self.sessions.store["survey"].update_one({"_id": id}, {"$set": changes})
        assert done.matched_count == 1

    async def stored(self, noun: str, **fields: Any) -> list[dict[str, Any]]:
        """States of aggregates that sessions stores, with these field values."""
        where = {"programme": self.programme} | {f"state.{name}": value for name, value in fields.items()}
        return [each["state"] async for each in self.sessions.store[noun].find(where).sort("state.number", 1)]

    async def surveys(self, worker: str, number: int = 4, **fields: Any) -> list[dict[str, Any]]:
        """Wait until the worker has so many surveys with these field values, and return them."""

        async def there() -> list[dict[str, Any]]:
            found = await self.stored("survey", worker=worker, **fields)
            return found if len(found) == number else []

        found: list[dict[str, Any]] = await eventually(there)
        return found

    async def published(self, kind: str, topic: str = "ama.sessions", **where: Any) -> list[dict[str, Any]]:
        """Rows of the outbox of sessions for events of this type."""
        found = (
            self.sessions.store["outbox"].find({"programme": self.programme, "topic": topic, **where}).sort("_id", 1)
        )
        return [each async for each in found if f".{kind}.v1".encode() in each["value"]]


async def _key_of(work: Work, worker: str) -> bytes:
    return await work.key(worker)


def three_weeks_ago() -> date:
    """A Thursday in the past, so that the fortnightly meetings one and two could have been held, and the third not."""
    day = today() - timedelta(days=21)
    return day - timedelta(days=(day.isoweekday() - 4) % 7)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def worlds(
    request: pytest.FixtureRequest, engines: Engines, keys: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Iterator[World]]:
    """Worlds on the same three services, each in another programme: one for each test of the file."""
    folder = tmp_path_factory.mktemp("programmes")
    tests = [each for each in request.session.items if each.path == request.path and "world" in names_of(each)]
    own = [written(folder) for _ in tests]
    given = settings_on(engines, keys).model_copy(update={"programmes": folder, "only": ",".join(own)})
    async with AsyncExitStack() as stack:
        enrolled = await stack.enter_async_context(running(enrolment.app.build(given), ["relay"]))
        grouped = await stack.enter_async_context(running(grouping.app.build(given), ["relay", "consume"]))
        met = await stack.enter_async_context(running(sessions.app.build(given), ["relay", "consume"]))
        yield (World(enrolled, grouped, met, programme) for programme in own)
        for service in (enrolled, grouped, met):
            assert not service.tasks.over, "it ended under the tests"


def names_of(test: pytest.Item) -> Collection[str]:
    """The fixtures that a test uses, also by others."""
    return getattr(test, "fixturenames", ())


@pytest.fixture
def world(worlds: Iterator[World]) -> World:
    return next(worlds)
