"""The environment of one service as gauges, checked every few seconds: engines, their disks, its key files, the public front.

Invariants: a check changes nothing, and a part that fails hides no other part. A gauge whose value is unknown is removed. A trouble is
logged when it begins, not at every check.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path
from typing import Protocol

from services.events.bus.client import Bus
from services.events.bus.log_dirs import Disk
from services.runtime.certificate import Front, validity
from services.settings import Settings
from services.store.mongo import Document, PyMongoError, Store, within
from services.store.people import StoredKey
from services.telemetry import Metrics
from services.vault.keyring import holder_of

log = logging.getLogger(__name__)
EVERY = 10.0  # seconds between checks
PATIENCE = 5.0  # seconds for one part of a check
ENGINES = {"MongoDB": "mongodb", "Kafka": "kafka"}  # by the name in `ready`: the label
PRIMARY = "primary"
DISKS = ("disk_size_bytes", "disk_available_bytes")
CERTIFICATE = ("certificate_not_before_timestamp_seconds", "certificate_not_after_timestamp_seconds")


class ObservedService(Protocol):
    """The parts of a service that are needed here."""

    name: str
    settings: Settings
    store: Store
    bus: Bus
    metrics: Metrics

    @property
    def ready(self) -> Callable[[], Awaitable[dict[str, str]]]:
        """Returns what is not ready, each with its reason."""


class Environment:
    """Checks the environment for as long as the service runs."""

    def __init__(self, service: ObservedService) -> None:
        self._service, self._metrics = service, service.metrics
        self._front = Front.of(service.settings.public_url, service.settings.front)
        self._troubles: set[str] = set()

    async def run(self) -> None:
        """Check again and again, without an end."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """Set every gauge once."""
        missing = await self._service.ready()
        for name, engine in ENGINES.items():
            self._metrics.set_gauge("engine_up", name not in missing, engine)
        # `engine_up` reports an engine that is away; asking it for its disk would only take PATIENCE.
        await self._disks({engine for name, engine in ENGINES.items() if name not in missing})
        await self._keys()
        if self._front is not None:
            await self._certificate(self._front)

    async def _disks(self, up: Collection[str]) -> None:
        """Measure the disks of the engines that are up."""
        found: dict[tuple[str, str], Disk] = {}
        asking = {"kafka": self._service.bus.disks, "mongodb": self._mongo_disk}
        for engine, ask in [(engine, ask) for engine, ask in asking.items() if engine in up]:
            try:
                # `within` bounds the operations of MongoDB alone, the outer limit those of Kafka too.
                # It is longer, so that the driver's own error comes first.
                async with asyncio.timeout(PATIENCE + 1):
                    with within(PATIENCE):
                        disks: Mapping[str, Disk] = await ask()
                found |= {(engine, node): disk for node, disk in disks.items()}
                self._fine(f"disk of {engine}")
            except Exception as error:  # noqa: BLE001  # of one engine, whatever it answered: the other is measured all the same
                self._trouble(f"disk of {engine}", error)
        # A broker that no longer reports its disk must not keep its last figure, on which an alert would rely.
        self._metrics.clear(*DISKS)
        for (engine, node), disk in found.items():
            for figure, value in zip(DISKS, disk, strict=True):
                self._metrics.set_gauge(figure, value, engine, node)

    async def _mongo_disk(self) -> dict[str, Disk]:
        """Ask the primary for its disk. The router of a sharded cluster has none."""
        stats = await self._service.store.db.command("dbStats")
        size = int(stats.get("fsTotalSize", 0))
        return {PRIMARY: Disk(size, size - int(stats["fsUsedSize"]))} if size else {}

    async def _keys(self) -> None:
        """Check that a start would find its key files now, and that one of the stored keys opens with them."""
        try:
            async with asyncio.timeout(PATIENCE + 1):
                with within(PATIENCE):
                    kept = await self._service.store[StoredKey.collection].find_one()
        except (PyMongoError, TimeoutError):
            self._metrics.clear("keys_readable")  # `engine_up` shows the reason
            return
        try:
            # In a thread: reading and decrypting would hold up the requests of this process.
            await asyncio.to_thread(_open, self._service.name, self._service.settings.keys, kept)
            self._metrics.set_gauge("keys_readable", 1)
            self._fine("keys")
        except Exception as error:  # noqa: BLE001  # a file or a stored key can be damaged in any way
            self._metrics.set_gauge("keys_readable", 0)
            self._trouble("keys", error)

    async def _certificate(self, front: Front) -> None:
        try:
            for figure, moment in zip(CERTIFICATE, await validity(front, PATIENCE), strict=True):
                self._metrics.set_gauge(figure, moment.timestamp())
            self._metrics.set_gauge("front_up", 1)
            self._fine("front")
        except Exception as error:  # noqa: BLE001  # NoCertificate, or of a front that answers anything
            self._metrics.clear(*CERTIFICATE)
            self._metrics.set_gauge("front_up", 0)
            self._trouble("front", error)

    def _trouble(self, what: str, error: Exception) -> None:
        if what not in self._troubles:
            extra = {"service": self._service.name, "reason": what, "error": type(error).__name__}
            log.warning("a check of the environment failed", extra=extra)
        self._troubles.add(what)

    def _fine(self, what: str) -> None:
        self._troubles.discard(what)


def _open(service: str, folder: Path, kept: Document | None) -> None:
    # From the files, since the service keeps its keys in memory and would notice a lost file at its next start only.
    holder = holder_of(service, folder)
    if kept is not None:
        key = StoredKey.of(kept)
        holder.open(key.person, key)
