"""Engines, services and a Prometheus of these tests' own, so that their faults disturb no other test."""

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

import enrolment.app
from enrolment import commands as do
from services import vault
from services.contracts.topics import SERVICES
from services.runtime import environment
from services.runtime.metrics_port import serving_metrics
from services.runtime.service import Service
from tests.alerts.server import Prometheus, prometheus
from tests.helpers.own_engines import PROGRAMME, Apart

CARD = {"given_name": "Ada", "family_name": "Prova", "email": "ada@example.org", "language": "it"}


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    """Engines of these tests' own, with key files."""
    folder = tmp_path_factory.mktemp("watched")
    vault.make_keys(folder / "keys", SERVICES)
    own = Apart(folder / "engines", folder / "keys")
    yield own
    own.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def watcher(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Prometheus]:
    """Prometheus that scrapes no service yet."""
    async with prometheus(tmp_path_factory.mktemp("prometheus")) as server:
        yield server


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at the environment more often than in production."""
    monkeypatch.setattr(environment, "EVERY", 0.5)


@pytest.fixture
def own_keys(ground: Apart, tmp_path: Path) -> Path:
    """A copy of the key files that a test may damage."""
    return Path(shutil.copytree(ground.settings().keys, tmp_path / "keys"))


@asynccontextmanager
async def watched(watcher: Prometheus, *services: Service) -> AsyncIterator[None]:
    """Let Prometheus scrape these services, each at its own metrics port."""
    async with AsyncExitStack() as stack:
        for service in services:
            await stack.enter_async_context(serving_metrics(watcher.place(), [service.metrics]))
        yield


@pytest.fixture
def enrolled(ground: Apart, own_keys: Path) -> Service:
    """Enrolment, not started yet."""
    return enrolment.app.build(ground.settings().model_copy(update={"keys": own_keys}))


async def refer(service: Service) -> str:
    """Refer a worker. Gives their id."""
    return str((await service.do(do.refer, do.Refer(partner="afol", card=CARD), PROGRAMME))["worker"])
