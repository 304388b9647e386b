"""Records on partners' topics, each of which has one partition. Only committed records count."""

from collections.abc import AsyncIterator, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from services.events.bus.client import Bus

WAIT = 500  # milliseconds for the next records


async def last_records(bus: Bus, topics: Sequence[str]) -> dict[str, ConsumerRecord | None]:
    """The last committed record of each topic, None of an empty one. One reader reads them all. A partition mostly ends with a marker or
    with aborted records, so this looks ever further back until it finds one. Raises KafkaError."""
    found: dict[TopicPartition, ConsumerRecord | None] = dict.fromkeys(TopicPartition(each, 0) for each in topics)
    reader, back = bus.reader(isolation_level="read_committed"), 8
    await reader.start()
    try:
        ends = {each: end for each, end in (await reader.end_offsets(list(found))).items() if end}
        while ends:
            starts = {each: max(0, end - back) for each, end in ends.items()}
            found |= await _last_between(reader, starts, ends)
            ends = {each: end for each, end in ends.items() if found[each] is None and starts[each]}
            back *= 8
    finally:
        await reader.stop()
    return {each.topic: record for each, record in found.items()}


async def _last_between(
    reader: AIOKafkaConsumer, starts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
) -> dict[TopicPartition, ConsumerRecord | None]:
    """The last committed record of each partition between two offsets."""
    found: dict[TopicPartition, ConsumerRecord | None] = dict.fromkeys(ends)
    reader.assign(list(ends))
    for each, start in starts.items():
        reader.seek(each, start)
    reading = [*ends]
    while reading:
        for each, records in (await reader.getmany(*reading, timeout_ms=WAIT)).items():
            found[each] = records[-1]
        # A position moves over markers and aborted records too.
        reading = [each for each in reading if await reader.position(each) < ends[each]]
    return found


async def all_records(bus: Bus, topic: str) -> AsyncIterator[Sequence[ConsumerRecord]]:
    """All committed records in batches; none when there is no such topic."""
    partition, reader = TopicPartition(topic, 0), bus.reader(isolation_level="read_committed")
    await reader.start()
    try:
        if topic not in await reader.topics():
            return
        reader.assign([partition])
        await reader.seek_to_beginning(partition)
        end = (await reader.end_offsets([partition]))[partition]
        while await reader.position(partition) < end:
            for records in (await reader.getmany(partition, timeout_ms=WAIT)).values():
                yield records
    finally:
        await reader.stop()
