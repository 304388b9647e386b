"""Offsets moved past records that are none of a consumer's, each by one statement and without a transaction.

Invariant: an offset moves on the same condition as in a transaction (`services.events.inbox.memory`). The offsets of several partitions
need not move together, because nothing else is written: a record that is skipped has no effect, no mark and no dead letter.
"""

from collections.abc import Sequence
from dataclasses import replace

from services.events.delivery.state import BatchResult, Record
from services.events.inbox.documents import offset_move
from services.events.inbox.memory import Memory
from services.store.clock import now_utc
from services.store.errors import is_transient
from services.store.mongo import PyMongoError, Store


async def skip(consumer: str, store: Store, memory: Memory, records: Sequence[Record]) -> BatchResult | None:
    """Move the offsets behind these records. None: a transaction has to take them, since not all versions were as remembered."""
    known, result = memory.lend(), BatchResult(now_utc())
    if not known.versions.keys() >= {(each.topic, each.partition) for each in records}:
        memory.keep(known)
        return None
    result.before = {each: version.next or 0 for each, version in known.versions.items()}
    ours = [each for each in records if each.offset >= result.before[each.topic, each.partition]]
    result.offsets = {(each.topic, each.partition): each.offset + 1 for each in ours}
    result.tally.add("behind", len(records) - len(ours))
    result.tally.add("ignored", len(ours))
    moves = [offset_move(consumer, each, known.versions[each], next_) for each, next_ in result.offsets.items()]
    try:
        moved = await store.write("offsets", moves)
    except PyMongoError as error:
        if not is_transient(error):
            raise
        return None  # what has moved is behind the stored offset when the transaction reads it
    if moved < len(moves):
        return None
    for each, following in result.offsets.items():
        known.versions[each] = replace(known.versions[each], next=following)
    memory.keep(known)
    return result
