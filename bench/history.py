"""Invented events of enrolment: workers who are referred, decide about consents, and are admitted.

Invariant: one worker's events keep their sequence and are a block of workers apart, as in the world, where days are between them. With
a block of 6,000 workers a batch (1,000 records, mostly of one partition of six) holds one event of a worker. So little is saved by
writing a worker's row and mark once for several events.
"""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

from aiokafka import AIOKafkaProducer

from services.contracts import Event, EventData, encode, source_of
from services.contracts.enrolment import ConsentChanged, Purpose, WorkerAdmitted, WorkerReferred
from services.contracts.envelope import schema_uri
from services.kernel import new_id

BLOCK = 6_000  # workers who take each step together
TOGETHER = 5_000  # records under way to the bus at once
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
PATH: list[EventData] = [
    WorkerReferred(partner="afol"),
    ConsentChanged(purpose=Purpose.PARTICIPATION, given=True, notice="1", language="it"),
    ConsentChanged(purpose=Purpose.CONTACT, given=True, notice="1", language="it"),
    ConsentChanged(purpose=Purpose.RESEARCH, given=False, notice="1", language="it"),
    WorkerAdmitted(partner="afol"),
]


def steps(number: int, path: list[EventData], block: int) -> Iterator[tuple[str, int, EventData]]:
    """Yield `number` of (worker, sequence, payload). A block of workers takes the first step, then the second …, then the next block."""

    def endless() -> Iterator[tuple[str, int, EventData]]:
        while True:
            workers = [new_id() for _ in range(block)]
            for sequence, data in enumerate(path, start=1):
                for worker in workers:
                    yield worker, sequence, data

    return islice(endless(), number)


def events(
    number: int, programme: str, path: list[EventData] = PATH, block: int = BLOCK
) -> Iterator[tuple[str, bytes]]:
    """Yield `number` records as key and value."""
    for at, (worker, sequence, data) in enumerate(steps(number, path, block)):
        moment = FIRST + timedelta(seconds=at)
        event = Event(
            id=new_id(),
            source=source_of(programme, data.topic),
            type=data.type,
            subject=worker,
            time=moment,
            recordedtime=moment,
            sequence=sequence,
            data=data,
            dataschema=schema_uri(type(data)),
            correlationid=new_id(),
        )
        yield worker, encode(event)


async def fill(producer: AIOKafkaProducer, topic: str, records: Iterator[tuple[str, bytes]]) -> None:
    """Send the records to the topic."""
    while some := list(islice(records, TOGETHER)):
        await asyncio.gather(*[await producer.send(topic, value=value, key=key.encode()) for key, value in some])
