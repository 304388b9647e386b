"""A Kafka of the test's own, which can be stopped, set back to what it was, emptied, and started again at the same address."""

import asyncio
import shutil
from pathlib import Path

from services.engines import jars
from services.engines.kafka import Kafka
from services.engines.lock import Lock
from services.engines.ports import Ports


class FragileBus:
    """One node; `folder` holds it and what is remembered of it."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._kafka = folder, Kafka(folder / "kafka", folder / "kafka.log", secure=False)
        self._ports, self._lock = Ports(folder / "ports.json"), Lock(folder)
        folder.mkdir(exist_ok=True)
        self._lock.acquire()

    async def start(self) -> str:
        """Its address."""
        return await asyncio.to_thread(self._kafka.start, self._ports, jars.ready(None), self._lock.descriptor)

    async def stop(self) -> None:
        """In order, with everything on the disk."""
        await asyncio.to_thread(self._kafka.stop)

    async def remember(self) -> None:
        """Keep what is there now."""
        await self.stop()
        shutil.copytree(self._folder / "kafka" / "data", self._folder / "before")
        await self.start()

    async def set_back(self) -> None:
        """Be again what was remembered: everything acknowledged since is gone."""
        await self.stop()
        shutil.rmtree(self._folder / "kafka" / "data")
        shutil.copytree(self._folder / "before", self._folder / "kafka" / "data")
        await self.start()

    async def empty(self) -> None:
        """Be another cluster, which knows of nothing."""
        await self.stop()
        shutil.rmtree(self._folder / "kafka" / "data")
        await self.start()

    async def end(self) -> None:
        """For good."""
        await self.stop()
        self._lock.release()
