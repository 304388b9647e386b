"""A Kafka of the test's own that can be stopped, restored to an earlier state, emptied, and started at the same address."""

import asyncio
import shutil
from pathlib import Path

from services.engines import jars
from services.engines.kafka import Kafka
from services.engines.lock import Lock
from services.engines.ports import Ports


class RestorableBus:
    """One Kafka node. `folder` holds its data and the remembered copy."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._kafka = folder, Kafka(folder / "kafka", folder / "kafka.log", secure=False)
        self._ports, self._lock = Ports(folder / "ports.json"), Lock(folder)
        folder.mkdir(exist_ok=True)
        self._lock.acquire()

    async def start(self) -> str:
        """Start the node. Gives its address."""
        return await asyncio.to_thread(self._kafka.start, self._ports, jars.ready(None), self._lock.descriptor)

    async def stop(self) -> None:
        """Stop the node in order, with all data on the disk."""
        await asyncio.to_thread(self._kafka.stop)

    async def remember(self) -> None:
        """Copy the data as it is now."""
        await self.stop()
        shutil.copytree(self._folder / "kafka" / "data", self._folder / "before")
        await self.start()

    async def set_back(self) -> None:
        """Restore the remembered data: records acknowledged since then are gone."""
        await self.stop()
        shutil.rmtree(self._folder / "kafka" / "data")
        shutil.copytree(self._folder / "before", self._folder / "kafka" / "data")
        await self.start()

    async def empty(self) -> None:
        """Delete all data, so that another, empty cluster starts."""
        await self.stop()
        shutil.rmtree(self._folder / "kafka" / "data")
        await self.start()

    async def end(self) -> None:
        """Stop the node for good and free its folder."""
        await self.stop()
        self._lock.release()
