"""Engines and events for the tests of this folder alone, whose MongoDB a test can stop and start again."""

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import psutil
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from pymongo import AsyncMongoClient
from typer.testing import CliRunner

from services.cli import app
from services.contracts import TOPICS, Event, encode
from services.contracts.enrolment import ConsentChanged, Purpose, WorkerReferred
from services.engines import Embedded
from services.engines.ports import Ports
from services.events.bus.client import Bus
from services.events.delivery.declare import Projection, Reactions
from services.events.inbox.documents import offset_document
from services.events.inbox.projections import consumer_of
from services.runtime.service import Service, running
from services.settings import Settings
from services.store.mongo import InsertOne, PyMongoError, UpdateOne
from services.store.work import Work
from services.vault.keyring import service_holder
from tests.helpers.services import SHIPPED
from tests.helpers.waiting import eventually

PROGRAMME = "monza-brianza"
AT = "2026-01-01T10:00:00Z"
Before = Callable[[Event[Any]], Any]


class Apart:
    """Embedded engines whose MongoDB can be restarted."""

    def __init__(self, data: Path, keys: Path) -> None:
        self._embedded, self._keys = Embedded(data), keys
        self.engines = self._embedded.start()

    def stop(self) -> None:
        self._embedded.stop()

    async def kill_mongo(self) -> None:
        """Send SIGKILL, whatever it is doing."""
        mongod = self._embedded._mongod
        assert mongod._process is not None
        for engine in psutil.Process(mongod._process.pid).children():
            engine.kill()
        await asyncio.to_thread(self._embedded._mongod.stop)

    async def start_mongo(self) -> None:
        ports = Ports(self._embedded.data / "ports.json")
        uri = await asyncio.to_thread(self._embedded._mongod.start, ports, self._embedded._lock.descriptor)
        assert uri == self.engines.mongo, "it comes back where it was"

    async def admin(self, command: dict[str, Any]) -> None:
        """A command for the server."""
        async with AsyncMongoClient[dict[str, Any]](self.engines.mongo) as client:
            await client.admin.command(command)

    async def elects(self, service: Service) -> None:
        """Wait for a primary."""

        async def answers() -> bool:
            try:
                await service.store.write("trial", [UpdateOne({"_id": 1}, {"$inc": {"n": 1}}, upsert=True)])
            except PyMongoError:
                return False
            return True

        await eventually(answers, 60)

    def settings(self, **given: Any) -> Settings:
        database = f"a{uuid.uuid4().hex[:10]}"
        return Settings(
            kafka=self.engines.kafka,
            mongo=self.engines.mongo,
            keys=self._keys,
            database=database,
            only=SHIPPED,
            **given,
        )

    def bus(self) -> Bus:
        return Bus(self.settings())

    def service(self, reactions: Reactions, *projections: Projection, settings: Settings | None = None) -> Service:
        own = settings or self.settings()
        holder = service_holder("grouping", own.keys)
        return Service("grouping", own, holder=holder, reactions=reactions, projections=projections)

    def _environment(self, service: Service) -> dict[str, str]:
        given = {"AMA_KAFKA": self.engines.kafka, "AMA_MONGO": self.engines.mongo, "AMA_KEYS": str(self._keys)}
        return {**given, "AMA_DATABASE": service.settings.database, "AMA_DATA": "/nowhere", "AMA_ONLY": SHIPPED}

    async def ama(self, service: Service, *words: str) -> tuple[int, str]:
        """The command line, in a thread beside what runs; its exit status and all it wrote."""
        done = await asyncio.to_thread(CliRunner().invoke, app, words, env=self._environment(service))
        return done.exit_code, done.output

    async def process(self, service: Service, *words: str, **given: str) -> tuple[int, str]:
        """The command line as a process of its own."""
        ran = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from services.cli import main; main()", *words),
            env={**os.environ, **self._environment(service), **given},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await asyncio.wait_for(ran.communicate(), 60)
        return ran.returncode or 0, output.decode()


@pytest.fixture(scope="package")
def apart(tmp_path_factory: pytest.TempPathFactory, keys: Path) -> Iterator[Apart]:
    """One set of them for all tests here."""
    own = Apart(tmp_path_factory.mktemp("apart"), keys)
    yield own
    own.stop()


def event(subject: str, sequence: int, id: str | None = None) -> Event[Any]:
    """A referral, or a later consent, that only this test publishes."""
    data = (
        WorkerReferred(partner="afol")
        if sequence == 1
        else ConsentChanged(purpose=Purpose.CONTACT, given=True, notice="1", language="it")
    )
    at = datetime.fromisoformat(AT)
    source = f"/programmes/{PROGRAMME}/enrolment"
    id = id or f"{subject}-{sequence}"
    return Event(id, source, type(data).type, subject, at, at, sequence, data)


def key(subject: str) -> str:
    """The key of the subject's marks."""
    return f"/programmes/{PROGRAMME}/enrolment|{subject}"


def subjects(number: int) -> list[str]:
    return [f"s{uuid.uuid4().hex[:12]}" for _ in range(number)]


async def tell(bus: Bus, *events: Event[Any] | tuple[str, bytes | None], partition: int | None = None) -> None:
    """Send these as enrolment would, in this order; a pair is a key and a value. In one `partition` they make one batch."""
    producer = AIOKafkaProducer(**bus.client(), acks="all")
    await producer.start()
    try:
        sent = []
        for each in events:
            subject, value = (each.subject, encode(each)) if isinstance(each, Event) else each
            sent.append(await producer.send("ama.enrolment", value=value, key=subject.encode(), partition=partition))
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


def changed(one: Event[Any], **attributes: Any) -> tuple[str, bytes]:
    """The event's record with other attributes than it may have."""
    body = {**orjson.loads(encode(one)), **attributes}
    return one.subject, orjson.dumps(body)


def noting(taken: list[str], before: Before | None = None) -> Reactions:
    """Reactions whose effect is a document per event, in the transaction; `taken` also holds what was rolled back."""
    reactions = Reactions()

    async def note(event: Event[Any], work: Work) -> None:
        if before is not None:
            # A transaction begins at the server with its first statement.
            await work._unit.by_id("noted", [event.id])
            await before(event)
        entry = {"_id": event.id, "subject": event.subject, "sequence": event.sequence}
        await work._unit.write("noted", [InsertOne(entry)])
        taken.append(event.id)

    for kind in (WorkerReferred, ConsentChanged):
        reactions.on(kind)(note)
    return reactions


async def noted(service: Service, *wanted: str) -> dict[str, list[int]]:
    """The sequences that took effect, by subject."""
    found: dict[str, list[int]] = {subject: [] for subject in wanted}
    async for each in service.store["noted"].find({"subject": {"$in": list(wanted)}}).sort("sequence", 1):
        found[each["subject"]].append(each["sequence"])
    return found


async def until_noted(service: Service, wanted: dict[str, Sequence[int]], seconds: float = 30.0) -> None:
    async def there() -> bool:
        return await noted(service, *wanted) == {subject: list(numbers) for subject, numbers in wanted.items()}

    await eventually(there, seconds)


async def until_dead(service: Service, *names: str, status: str = "open", seconds: float = 30.0) -> list[Any]:
    """Wait for the dead letters of these names, and return them."""

    async def there() -> Any:
        found = await service.store["dead"].find({"name": {"$in": list(names)}, "status": status}).to_list(100)
        return found if len(found) >= len(names) else None

    return list(await eventually(there, seconds))


@asynccontextmanager
async def listening(service: Service, roles: Collection[str] = ("consume",)) -> AsyncIterator[Service]:
    """Run the service; it takes only what is sent from now on."""
    if not await service.store["offsets"].find_one({}):
        await from_now_on(service, "reactions", consumer_of(1))
        await service.store.make("noted")
    async with running(service, roles) as one:
        yield one


async def from_now_on(service: Service, *consumers: str) -> None:
    """Store offsets as if these consumers had taken everything that enrolment has sent."""
    topic = TOPICS["ama.enrolment"]
    await service.bus.prepare([topic])
    reader = service.bus.reader()
    await reader.start()
    try:
        partitions = [TopicPartition(topic.name, n) for n in range(topic.partitions)]
        for each, end in (await reader.end_offsets(partitions)).items():
            for consumer in consumers:
                place = offset_document(consumer, (each.topic, each.partition), end)
                await service.store["offsets"].insert_one(place)
    finally:
        await reader.stop()


def failing(on: Collection[str], tried: list[str] | None = None) -> Any:
    """A handler that fails for the events whose id is in `on`, which a test may change."""

    async def fail(event: Event[Any]) -> None:
        if tried is not None:
            tried.append(event.id)
        if event.id in on:
            raise RuntimeError("Mario Rossi cannot be found")

    return fail


def gauge(service: Service, name: str, consumer: str = "reactions") -> float | None:
    labels = {"service": "grouping", "consumer": consumer}
    return service.metrics.registry.get_sample_value(f"ama_{name}", labels)


def counted(service: Service, outcome: str) -> float:
    labels = {"service": "grouping", "consumer": "reactions", "outcome": outcome}
    return service.metrics.registry.get_sample_value("ama_taken_total", labels) or 0
