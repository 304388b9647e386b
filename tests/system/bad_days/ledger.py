"""Compares the records on the bus, read with a plain client, with the commands that were acknowledged.

Invariant: this module uses no code of the services; it reads records as any client can.
"""

import json
from collections import defaultdict
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

EXPECTED = {
    "ama.enrolment": ["worker.referred", "consent.changed", "worker.admitted"],
    "ama.enrolment.restricted": ["worker.profiled"],
    "ama.grouping": ["worker.waitlisted"],
}
IDLE = 3000  # milliseconds in which a reader that has more would have got it


async def events_of(address: str, marked: str) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Every committed event of the moment `marked`, by topic and subject, in the order of the bus."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=address,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        found: dict[str, dict[str, list[dict[str, Any]]]] = {topic: defaultdict(list) for topic in EXPECTED}
        partitions = [
            TopicPartition(topic, n) for topic in EXPECTED for n in consumer.partitions_for_topic(topic) or ()
        ]
        partitions = partitions or [TopicPartition(topic, n) for topic in EXPECTED for n in range(6)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(partitions)
        while any([await consumer.position(each) < ends[each] for each in partitions]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    event = json.loads(record.value)
                    if event["time"] == marked:
                        found[record.topic][event["subject"]].append(event)
        return found
    finally:
        await consumer.stop()


def faults(found: dict[str, dict[str, list[dict[str, Any]]]], people: list[str]) -> list[str]:
    """Everything that differs from the acknowledgements: lost, doubled, out of order, or never acknowledged."""
    wrong = []
    for topic, expected in EXPECTED.items():
        wrong += [f"{topic}: {each} was never acknowledged" for each in found[topic].keys() - set(people)]
        for person in people:
            if why := _fault(found[topic].get(person, []), expected):
                wrong.append(f"{topic}: {person}: {why}")
    return wrong


def _fault(events: list[dict[str, Any]], expected: list[str]) -> str | None:
    """Check one subject's events. A record may be repeated; the first of each must follow in order."""
    first = {event["id"]: event for event in reversed(events)}
    once = [event for n, event in enumerate(events) if first[event["id"]] is event]
    kinds = [event["type"].removesuffix(".v1").split(".", 3)[3] for event in once]
    numbers = [int(event["sequence"]) for event in once]
    if kinds != expected or numbers != list(range(1, len(expected) + 1)):
        return f"{list(zip(numbers, kinds, strict=True))}"
    return None
