"""The start of feeds: their topics, and the positions from which their delivery goes on.

Invariant: a position is read from the topic itself, after every earlier producer was fenced. However many feeds begin at once, one
request makes their topics and one reader reads them.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import orjson
from aiokafka import ConsumerRecord

from notifications.feed_position import UNREADABLE, FeedPosition
from notifications.feed_topic import last_records
from notifications.ledger import topic_of
from notifications.ledger_entries import entry_at
from services.contracts import Topic
from services.contracts.topics import FEED
from services.events.bus.client import Bus
from services.store.mongo import Store


async def find_positions(store: Store, bus: Bus, writer: str, feeds: Sequence[FeedPosition]) -> None:
    """Make the topics that are missing, and give each feed its position. Raises KafkaError, and Misconfigured for a topic that was made
    otherwise; of which feed is not said."""
    topics = [Topic(topic_of(each.partner), writer, partitions=FEED.partitions) for each in feeds]
    await bus.prepare(topics)
    last = await last_records(bus, [each.name for each in topics])
    for each in feeds:
        await find_position(store, each, last[topic_of(each.partner)])


async def find_position(store: Store, feed: FeedPosition, last: ConsumerRecord | None) -> None:
    """Take the position from the last record of the topic. Stops the feed when that is of another ledger."""
    feed.end = 0 if last is None else last.offset + 1
    if last is None:
        return
    try:
        body = orjson.loads(last.value)
        feed.last = int(body["sequence"])
        entry = await entry_at(store, feed.programme, feed.partner, feed.last)
        if entry is None or entry.event != body["id"]:
            feed.stop(f"the topic's record {feed.last} is not of this ledger")
    except UNREADABLE:
        feed.stop(f"the topic's record at offset {last.offset} is none of a ledger")


def shared(feeds: Iterable[FeedPosition]) -> list[FeedPosition]:
    """The feeds of a partner of several programmes that are not stopped: two ledgers on a topic could not be told apart."""
    going = [each for each in feeds if each.stopped is None]
    counted = Counter(each.partner for each in going)
    return [each for each in going if counted[each.partner] > 1]
