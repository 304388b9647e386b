"""Engines for a run: those that `AMA_KAFKA` and `AMA_MONGO` name, else embedded ones started for it.

Invariant: databases and topics of a run are its own, and are dropped when it ends.
"""

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient

from bench.harness import Note
from services import vault
from services.contracts import Topic
from services.contracts.topics import SERVICES
from services.engines import Embedded
from services.events.bus.client import Bus
from services.settings import Settings
from services.store.mongo import Store

PROGRAMME = "jobs2"


@dataclass
class Ground:
    """Engines, a folder, and the size of the measurements."""

    given: dict[str, Any]
    folder: Path
    quick: bool
    note: Note
    run: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    _topics: list[str] = field(default_factory=list)
    _databases: list[str] = field(default_factory=list)

    def settings(self, **more: Any) -> Settings:
        """New settings whose databases no other measurement uses."""
        prefix = f"bench{self.run}x{len(self._databases)}"
        self._databases.append(prefix)
        return Settings(**{**self.given, "keys": self.folder / "keys", "database": prefix, "only": PROGRAMME, **more})

    def environment(self, settings: Settings) -> dict[str, str]:
        """The same settings as environment variables, for another process."""
        values = settings.model_dump(exclude_none=True, exclude_defaults=True)
        return {**os.environ, **{f"AMA_{name.upper()}": str(value) for name, value in values.items()}}

    async def topic(self, partitions: int = 6) -> str:
        """Make a new topic. Returns its name."""
        name = f"bench.{self.run}.{len(self._topics)}"
        self._topics.append(name)
        await Bus(self.settings()).prepare([Topic(name, "bench", partitions=partitions)])
        return name

    async def clean(self) -> None:
        """Drop the databases and topics that were made so far."""
        settings = Settings(**self.given)
        store = Store(settings.mongo, "admin")
        for name in await store.db.client.list_database_names():
            if name.startswith(f"bench{self.run}x"):
                await store.db.client.drop_database(name)
        await store.close()
        if self._topics:
            admin = AIOKafkaAdminClient(**Bus(settings).client())
            await admin.start()
            try:
                await admin.delete_topics([name for name in self._topics if name in await admin.list_topics()])
            finally:
                await admin.close()
            self._topics.clear()


@asynccontextmanager
async def ground(quick: bool, note: Note) -> AsyncIterator[Ground]:
    """Engines that live as long as the block."""
    folder = Path(tempfile.mkdtemp(prefix="ama-bench-"))
    embedded = None
    try:
        vault.make_keys(folder / "keys", SERVICES)
        if os.environ.get("AMA_KAFKA") and os.environ.get("AMA_MONGO"):
            given = {name: value for name, value in Settings().model_dump().items() if name in GIVEN}
        else:
            embedded = Embedded(folder)
            engines = await asyncio.to_thread(embedded.start)
            given = {"kafka": engines.kafka, "mongo": engines.mongo}
        made = Ground(given, folder, quick, note)
        try:
            yield made
        finally:
            await made.clean()
    finally:
        if embedded is not None:
            await asyncio.to_thread(embedded.stop)
        shutil.rmtree(folder, ignore_errors=True)


GIVEN = ("kafka", "mongo", "sasl_username", "sasl_password", "sasl_mechanism", "kafka_tls")
