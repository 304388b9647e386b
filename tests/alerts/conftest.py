"""Engines, services and a Prometheus of these tests' own: what is broken here is seen by nobody else."""

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from services import vault
from services.contracts.topics import SERVICES
from services.runtime import environment
from services.runtime.service import Service
from services.telemetry import serving_metrics
from tests.alerts.server import Prometheus, prometheus
from tests.helpers.own_engines import Apart


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    """Engines, and the keys of those who stand on them."""
    folder = tmp_path_factory.mktemp("watched")
    vault.make_keys(folder / "keys", SERVICES)
    own = Apart(folder / "engines", folder / "keys")
    yield own
    own.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def watcher(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Prometheus]:
    """Prometheus, with nothing to ask yet."""
    async with prometheus(tmp_path_factory.mktemp("prometheus")) as server:
        yield server


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Surroundings are looked at more often."""
    monkeypatch.setattr(environment, "EVERY", 0.5)


@pytest.fixture
def own_keys(ground: Apart, tmp_path: Path) -> Path:
    """A copy of the key files, to be spoilt."""
    return Path(shutil.copytree(ground.settings().keys, tmp_path / "keys"))


@asynccontextmanager
async def watched(watcher: Prometheus, *services: Service) -> AsyncIterator[None]:
    """Prometheus asks these, by their own ports of figures."""
    with ExitStack() as stack:
        for service in services:
            stack.enter_context(serving_metrics(watcher.place(), [service.metrics]))
        yield
