"""Records on a partner's topic, which has one partition. Only committed records count."""

from collections.abc import AsyncIterator, Sequence

from aiokafka import ConsumerRecord, TopicPartition

from services.events.bus.client import Bus

WAIT = 500  # milliseconds for the next records


async def last_record(bus: Bus, topic: str) -> ConsumerRecord | None:
    """The last committed record, None on an empty topic. A partition mostly ends with a marker or with aborted records, so this looks
    ever further back until it finds one."""
    partition, reader = TopicPartition(topic, 0), bus.reader(isolation_level="read_committed")
    await reader.start()
    try:
        reader.assign([partition])
        end, back = (await reader.end_offsets([partition]))[partition], 8
        while end:
            start = max(0, end - back)
            reader.seek(partition, start)
            last = None
            while await reader.position(partition) < end:
                for each in (await reader.getmany(partition, timeout_ms=WAIT)).get(partition, []):
                    last = each
            if last is not None or start == 0:
                return last
            back *= 8
        return None
    finally:
        await reader.stop()


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
