"""All five services in a programme of the test's own, and reads of their databases and of the bus without them."""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.contracts.topics import SERVICES, TOPICS
from services.engines import Engines
from services.events.bus.client import Bus
from services.operations.backup import archive, dump, restore
from services.operations.backup.documents import decode
from services.operations.backup.manifest import Manifest
from services.operations.backup.report import RestoreReport, report_of
from services.operations.backup.sources import MANIFEST, Source, open_backup
from services.runtime.service import ROLES
from services.runtime.serving import AllServices
from services.settings import Settings
from services.store.consents import Consents, consents_of
from services.store.mongo import Store
from services.vault import BackupKeys
from services.vault.backup_keys import FILE
from tests.helpers.own_programme import World, in_a_programme_of_its_own
from tests.helpers.services import sasl
from tests.helpers.waiting import eventually, late

Documents = dict[str, dict[str, Any]]
EVENTS = [name for name, topic in TOPICS.items() if not topic.compacted and not name.endswith(".dead")]


@dataclass
class Town:
    """All services, and the people in them."""

    all_services: AllServices
    world: World

    async def rests(self) -> None:
        """Wait until every event is on the bus, taken by all, and delivered to partners."""
        last: list[Any] = []

        async def at_rest() -> bool:
            now = [await self._said(), await self._late(), await self._owed()]
            still = now == last and not now[1] and not now[2]
            last[:] = now
            await asyncio.sleep(0 if still else 0.7)  # longer than a relay gathers and a reaction takes
            return still

        try:
            await eventually(at_rest, 90)
        except AssertionError as error:
            raise AssertionError(f"never at rest: {last}") from error

    async def _said(self) -> dict[str, int]:
        return {
            name: await each.store["outbox"].count_documents({}) for name, each in self.all_services.services.items()
        }

    async def _late(self) -> list[str]:
        found = await late(self.all_services.services.values())
        for name, service in self.all_services.services.items():
            saved = (await service.store["relay"].find_one({"_id": "relay"}) or {}).get("at")
            newest = await service.store["outbox"].find_one({"sequence": {"$gt": 0}}, sort=[("_id", -1)])
            found += [f"{name} relay"] if newest is not None and saved is None else []
        return found

    async def _owed(self) -> list[str]:
        if "notifications" not in self.all_services.services:
            return []
        store = self.all_services.services["notifications"].store
        last = {each["state"]["id"]: each["state"]["last"] async for each in store["feed"].find()}
        sent = {each["partner"]: each["delivered"] async for each in store["deliveries"].find()}
        return [partner for partner, place in last.items() if sent.get(partner, 0) < place]


@asynccontextmanager
async def living(
    settings: Settings, services: Collection[str] = SERVICES, roles: Collection[str] = ROLES
) -> AsyncIterator[Town]:
    """Run the services inside the block: all five, or those that are given."""
    all_services = AllServices(lambda _: settings)
    grouping = all_services.services["grouping"]
    for name in set(SERVICES) - set(services):
        await all_services.services.pop(name).stop()
    try:
        await all_services.start(roles)
        yield Town(all_services, World(all_services.services["enrolment"], grouping, settings))
    finally:
        await all_services.stop()


@asynccontextmanager
async def databases(settings: Settings, services: Collection[str] = SERVICES) -> AsyncIterator[dict[str, Store]]:
    """Stores of these databases, without any service."""
    stores = {name: Store(settings.mongo, settings.database_of(name)) for name in services}
    try:
        yield stores
    finally:
        for store in stores.values():
            await store.close()


def key_of(settings: Settings) -> Path:
    """The file of the key of backups."""
    return settings.keys / FILE


async def take(settings: Settings, file: Path, also: Callable[[Any, Any], None] | None = None, **more: Any) -> Path:
    """Take a backup of all five databases."""
    async with databases(settings) as stores:
        plan = dump.DumpPlan(file, BackupKeys.load(key_of(settings)), also, **more)
        await asyncio.to_thread(dump.dump, stores, plan, lambda *_: None)
    return file


def opened(settings: Settings, backup: Path, *, clear: bool = False) -> Source:
    """The backup, to be read."""
    return open_backup(backup, key_of(settings), clear=clear)


def contents(settings: Settings, backup: Path) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Every document of a backup, by service and collection."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for service, name, documents in opened(settings, backup).parts():
        found[service][name] += map(decode, documents)
    return found


async def put(settings: Settings, backup: Path, services: Collection[str] = SERVICES, **more: Any) -> RestoreReport:
    """Restore these services from a backup."""
    assert settings.only is not None
    source = opened(settings, backup, clear=more.pop("clear", False))
    wanted = restore.RestorePlan(source, **{"folder": settings.keys, "only": frozenset([settings.only]), **more})
    async with databases(settings, services) as stores:
        return await report_of(await restore.restore(stores, Bus(settings), wanted, lambda *_: None), stores)


def elsewhere(settings: Settings) -> Settings:
    """Give the same settings for databases of another name."""
    return settings.model_copy(update={"database": f"r{uuid.uuid4().hex[:10]}"})


async def everything(settings: Settings) -> dict[str, Documents]:
    """Read every document of all five databases, by service and collection, and by id."""
    found: dict[str, Documents] = {}
    async with databases(settings) as stores:
        for service, store in stores.items():
            for name in await store.db.list_collection_names():
                rows = {str(each["_id"]): each async for each in store[name].find()}
                if rows:
                    found[f"{service} {name}"] = rows
    return found


async def gate_of(settings: Settings, person: str, service: str) -> Consents:
    """The consents of a person as this service's gate knows them."""
    assert settings.only is not None
    async with databases(settings, [service]) as stores:
        return (await consents_of(stores[service], settings.only, [person]))[person]


async def on_the_bus(settings: Settings, *topics: str) -> list[Any]:
    """Every record of these topics that the programme wrote."""
    reader = AIOKafkaConsumer(**Bus(settings).client(), enable_auto_commit=False)
    await reader.start()
    try:
        parts = [
            TopicPartition(each, n) for each in topics for n in range(TOPICS[each].partitions if each in TOPICS else 1)
        ]
        reader.assign(parts)
        await reader.seek_to_beginning(*parts)
        ends, found = await reader.end_offsets(parts), []
        while [each for each in parts if await reader.position(each) < ends[each]]:
            for records in (await reader.getmany(timeout_ms=200)).values():
                found += [each for each in records if f"/{settings.only}/".encode() in (each.value or b"")]
        return found
    finally:
        await reader.stop()


async def sequences(settings: Settings) -> dict[tuple[str, str], dict[int, set[str]]]:
    """By source and subject: the ids of the events that stand at each sequence."""
    found: dict[tuple[str, str], dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for record in await on_the_bus(settings, *EVENTS):
        event = orjson.loads(record.value)
        found[event["source"], event["subject"]][int(event["sequence"])].add(event["id"])
    return found


async def feed(settings: Settings, partner: str) -> list[dict[str, Any]]:
    """The partner's feed, as it lies on its topic."""
    return [orjson.loads(each.value) for each in await on_the_bus(settings, f"ama.feed.{partner}")]


def of_its_own(engines: Engines, keys: Path, folder: Path) -> Settings:
    """As the fixture `own`, for a whole module."""
    made = Settings(
        kafka=engines.kafka, mongo=engines.mongo, keys=keys, database=f"t{uuid.uuid4().hex[:10]}", **sasl(engines)
    )
    return in_a_programme_of_its_own(made, folder)


def with_other_topics(settings: Settings, backup: Path, into: Path) -> Path:
    """Copy the backup as one that knew topics of another Kafka."""
    keys = BackupKeys.load(key_of(settings))
    pieces = dict(archive.read(backup, keys))
    known = Manifest.read(pieces[MANIFEST], "the backup")
    for part in known.parts.values():
        for topic in part.acknowledged.values():
            topic.id = "anotherKafka"
    archive.write(into, keys, (pieces | {MANIFEST: known.model_dump_json().encode()}).items())
    return into
