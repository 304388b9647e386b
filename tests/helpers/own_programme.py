"""Enrolment and grouping publish and notifications reacts, in a programme of the test's own, so that its topics are too.

Invariant: the publishing services start once for a file, with a programme for each of its tests. A test whose `own` is another programme
has services of its own.
"""

import re
import shutil
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

import enrolment.app
import grouping.app
import notifications.app
import sessions.app
from enrolment import commands as enrol
from grouping.membership import commands as membership
from grouping.registers import commands as register
from services import programmes
from services.contracts import Event, decode
from services.contracts.enrolment import Leaving, Purpose, WorkerProfiled
from services.engines import Engines
from services.kernel import Command
from services.runtime.service import BackgroundTask, Service, running
from services.settings import Settings
from tests.helpers.days import today
from tests.helpers.services import settings_on
from tests.helpers.waiting import eventually

CARD = {"given_name": "Ada", "family_name": "Prova", "email": "ada@example.org", "language": "it"}


@pytest.fixture
def own(settings: Settings, tmp_path: Path, publishers: "Publishers") -> Settings:
    """Settings with a programme of the test's own."""
    only = publishers.next_programme()
    # Alone in its folder: a service reads every file there.
    shutil.copy(publishers.folder / f"{only}.toml", tmp_path)
    return settings.model_copy(update={"programmes": tmp_path, "only": only})


def in_a_programme_of_its_own(settings: Settings, folder: Path) -> Settings:
    """Add a programme `own{n}`: its partner `p{n}` has a feed, its groups have two members or more."""
    return settings.model_copy(update={"programmes": folder, "only": written(folder)})


def written(folder: Path) -> str:
    """Write the file of such a programme. Gives its id."""
    number = uuid.uuid4().hex[:8]
    shipped = (Path(programmes.__file__).parent / "monza-brianza.toml").read_text()
    text = re.sub(r"(?ms)^\[\[partners\]\].*?(?=^\[\[slots\]\])", _PARTNERS.format(number=number), shipped)
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


_PARTNERS = """[[partners]]
id = "p{number}"
name = "A partner with an agreement"
roles = ["referrer"]
feed = ["worker.referred", "worker.admitted", "worker.seated", "worker.withdrew"]

[[partners]]
id = "q{number}"
name = "A partner without"
roles = ["referrer"]

"""


@dataclass
class World:
    """The services that publish, and the actions of people there."""

    enrolment: Service
    grouping: Service
    settings: Settings

    @property
    def programme(self) -> str:
        return str(self.settings.only)

    @property
    def partner(self) -> str:
        """The partner that has an agreement."""
        return self.programme.replace("own", "p")

    @property
    def stranger(self) -> str:
        """The partner that has no agreement."""
        return self.programme.replace("own", "q")

    @property
    def topic(self) -> str:
        """The topic of the partner's feed."""
        return f"ama.feed.{self.partner}"

    async def enrol(self, handler: Any, command: Command) -> Any:
        """Run a command of enrolment."""
        return await self.enrolment.do(handler, command, self.programme)

    async def refer(self, partner: str | None = None, **card: str) -> str:
        """Refer somebody who can come on Thursday evenings; returns their id."""
        profile = WorkerProfiled(municipality="monza", travel_km=30, slots=("thu-evening",))
        made = await self.enrol(
            enrol.refer, enrol.Refer(partner=partner or self.partner, card=CARD | card, profile=profile)
        )
        return str(made["worker"])

    async def consent(self, worker: str, given: bool = True, *purposes: Purpose) -> None:
        """Decide on these purposes, or on all of them when none is named."""
        decided, notice = dict.fromkeys(purposes or Purpose, given), self.enrolment.rules[self.programme].notice
        await self.enrol(enrol.decide_consent, enrol.DecideConsent(worker=worker, given=decided, notice=notice.version))

    async def admit(self, worker: str) -> None:
        await self.enrol(enrol.admit, enrol.Admit(worker=worker))

    async def withdraw(self, worker: str) -> None:
        """End their part, since they found work."""
        await self.enrol(enrol.withdraw, enrol.Withdraw(worker=worker, reason=Leaving.FOUND_WORK))

    async def erase(self, worker: str) -> None:
        await self.enrol(enrol.erase, enrol.Erase(worker=worker))

    async def seat(self, *workers: str, weeks: int = 2) -> date:
        """Form a group of these; returns its first day, the Thursday so many weeks from now."""

        async def waiting() -> bool:
            ids = [f"{self.programme}/{worker}" for worker in workers]
            found = await self.grouping.store.by_id("seeker", ids)
            return bool(sum(each["state"]["waits"] for each in found.values()) == len(workers))

        await eventually(waiting)
        first = today() + timedelta(weeks=weeks)
        first += timedelta(days=(4 - first.isoweekday()) % 7)
        place = register.RegisterPlace(
            place="casa", title="Casa", address="via Correggio 59", municipality="monza", rooms=9, access=True
        )
        await self.grouping.do(register.register_place, place, self.programme)
        leader = register.RegisterFacilitator(
            facilitator=f"f{uuid.uuid4().hex[:8]}",
            municipality="monza",
            travel_km=30,
            slots=frozenset({"thu-evening"}),
            groups=2,
        )
        await self.grouping.do(register.register_facilitator, leader, self.programme)
        formed = membership.Form(
            members=list(workers), slot="thu-evening", place="casa", facilitator=leader.facilitator, first=first
        )
        await self.grouping.do(membership.form, formed, self.programme)
        return first

    async def join(self, worker: str, group: str, since: date) -> None:
        """Give one more seat in a group, from that day on."""
        await self.grouping.do(
            membership.join, membership.Join(group=group, worker=worker, since=since), self.programme
        )

    async def feed(self, number: int) -> list[Event[Any]]:
        """Read so many entries of the partner's feed, as the partner does, and those that follow at once."""
        reader = self.enrolment.bus.reader(isolation_level="read_committed", auto_offset_reset="earliest")
        await reader.start()
        try:
            await eventually(lambda: _there(reader, self.topic))
            reader.subscribe([self.topic])
            events: list[Event[Any]] = []

            async def read() -> bool:
                for records in (await reader.getmany(timeout_ms=300)).values():
                    events.extend(decode(record.value) for record in records)
                return len(events) >= number

            await eventually(read, 90)
            await read()
            return events
        finally:
            await reader.stop()


async def _there(reader: Any, topic: str) -> bool:
    return topic in await reader.topics()


class Publishers:
    """The services that publish in the programmes of a file's tests. Each starts when a test first asks for it."""

    def __init__(self, settings: Settings, folder: Path, tests: int) -> None:
        self.folder = folder
        self._programmes = [written(folder) for _ in range(tests)]
        self._free = iter(self._programmes)
        self._settings = settings.model_copy(update={"programmes": folder, "only": ",".join(self._programmes)})
        self._running: dict[str, Service] = {}
        self._stack = AsyncExitStack()

    def next_programme(self) -> str:
        """The id of a programme that no test had yet."""
        return next(self._free)

    def serve(self, own: Settings) -> bool:
        """Tell whether this programme is one of theirs, as it was written."""
        here, there = (folder / f"{own.only}.toml" for folder in (self.folder, own.programmes or self.folder))
        return own.only in self._programmes and here.read_text() == there.read_text()

    async def service(self, build: Callable[[Settings], Service], roles: Sequence[str]) -> Service:
        """The service that `build` makes, running."""
        if build.__module__ not in self._running:
            service = await self._stack.enter_async_context(running(build(self._settings), roles))
            self._running[build.__module__] = service
        return self._running[build.__module__]

    async def close(self) -> None:
        """Stop them. AssertionError when one had ended before."""
        over = [each.name for each in self._running.values() if each.tasks.over]
        await self._stack.aclose()
        assert not over, "ended under the tests"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def publishers(
    request: pytest.FixtureRequest, engines: Engines, keys: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Publishers]:
    """Those of this file."""
    here = (each for each in request.session.items if each.path == request.path)
    tests = [each for each in here if "own" in getattr(each, "fixturenames", ())]
    made = Publishers(settings_on(engines, keys), tmp_path_factory.mktemp("programmes"), len(tests))
    yield made
    await made.close()


@asynccontextmanager
async def publishing(
    publishers: Publishers, own: Settings, build: Callable[[Settings], Service], roles: Sequence[str]
) -> AsyncIterator[Service]:
    """A service that serves this programme: the one of the file's tests, or one of the test's own."""
    if publishers.serve(own):
        yield await publishers.service(build, roles)
    else:
        async with running(build(own), roles) as service:
            yield service


@pytest_asyncio.fixture
async def world(own: Settings, publishers: Publishers) -> AsyncIterator[World]:
    """Enrolment and grouping, both running."""
    async with (
        publishing(publishers, own, enrolment.app.build, ["relay"]) as enrolled,
        publishing(publishers, own, grouping.app.build, ["relay", "consume"]) as grouped,
    ):
        yield World(enrolled, grouped, own)


@pytest_asyncio.fixture
async def scheduling(own: Settings, publishers: Publishers) -> AsyncIterator[Service]:
    """Sessions, running: it schedules the meetings of every group."""
    async with publishing(publishers, own, sessions.app.build, ["relay", "consume"]) as service:
        yield service


def with_another_file(settings: Settings, folder: Path, change: Callable[[str], str]) -> Settings:
    """Settings of a service whose file of the test's own programme was changed."""
    assert settings.programmes is not None
    (folder / f"{settings.only}.toml").write_text(change((settings.programmes / f"{settings.only}.toml").read_text()))
    return settings.model_copy(update={"programmes": folder})


@pytest.fixture
def teller(own: Settings) -> Callable[..., Service]:
    """A function that builds notifications with these settings, for the test to start."""

    def build(background: Sequence[BackgroundTask] | None = None, **given: Any) -> Service:
        return notifications.app.build(own.model_copy(update=given), background)

    return build
