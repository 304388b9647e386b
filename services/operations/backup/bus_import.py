"""Import of events that the bus has and the restored database of their service lacks, into its outbox.

Invariants: an event comes back with the bytes that are on the bus, once, however often this runs. Its subject continues after the last
sequence that was ever given. Two events with one sequence are reported, and neither is changed. The import reads only the service's own
topics, and on those that the backup knew only records after it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from functools import partial
from typing import Any

from services.contracts import TOPICS, Event, Topic, Unreadable, decode_from
from services.contracts.topics import programme_of
from services.events.outbox.acknowledged import generation_of, take_over
from services.kernel import new_id
from services.operations.backup.bus_reader import BusReader, TopicState
from services.operations.backup.manifest import Topic as Acknowledged
from services.store.mongo import Document, InsertOne, Store, Transaction
from services.store.restored import SubjectKey, digest_of, note_subject

Note = Callable[[str, int], None]  # a topic, and the number of records read
GENERATION = "generation"  # a header that the relay sets anew


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A record in the form of the outbox. `event` is None on a compacted topic."""

    document: Document
    event: Event[Any] | None

    @property
    def place(self) -> SubjectKey:
        """The programme, topic and subject that the sequence belongs to."""
        return self.document["programme"], self.document["topic"], self.document["key"]

    @property
    def position(self) -> tuple[SubjectKey, int]:
        """The subject's place and the sequence there, which no other event may have."""
        return self.place, self.document["sequence"]


@dataclass(slots=True)
class Imported:
    """The outcome: numbers of imported events by topic, `forks` with two events for one sequence, and unreadable records."""

    events: dict[str, int] = field(default_factory=dict)
    forks: list[Document] = field(default_factory=list)
    unreadable: int = 0


async def import_events(
    service: str,
    store: Store,
    reader: BusReader,
    known: Mapping[str, Acknowledged],
    served: Callable[[str], bool],
    note: Note,
) -> Imported:
    """Import from all topics of this service. `known`: the acknowledged part of each topic at the time of the backup."""
    imported = Imported()
    own = {topic.name: topic for topic in TOPICS.values() if topic.writer == service}
    for name, state in (await reader.states(own)).items():
        same = state.known_as(known.get(name))
        # A compacted topic is read whole, since a backup leaves its keys out, also those of earlier records.
        start = known[name].ends if same and not own[name].compacted else {}
        read, generation = 0, 0
        async for records in reader.records(name, state, start):
            rows = [row for each in records if (row := _row(own[name], each, imported)) is not None]
            # The next refill must have a higher one than any on the bus, or no consumer would read it again.
            generation = max([generation, *(generation_of(each) for each in records)])
            await _keep(store, [each for each in rows if served(each.document["programme"])], imported)
            read += len(records)
            note(f"{service} {name}", read)
        # Any other topic is sent again by the relay, so what it holds must not count as acknowledged.
        if same:
            await _acknowledge(store, name, state, generation)
    return imported


def _row(topic: Topic, record: Any, imported: Imported) -> OutboxRow | None:
    key, value, headers = (record.key or b"").decode(errors="replace"), record.value, dict(record.headers)
    kept = [[name, text] for name, text in record.headers if name != GENERATION]
    document = {"topic": topic.name, "key": key, "value": value, "headers": kept}
    try:
        if topic.compacted:
            programme, sequence = headers["programme"].decode(), int(headers["sequence"])
            return OutboxRow({"_id": new_id(), "programme": programme, **document, "sequence": sequence}, None)
        event = decode_from(topic.name, value)
    except (Unreadable, KeyError, ValueError):
        # A record that is no event may be anybody's: it is counted, and must not stop the restore.
        imported.unreadable += 1
        return None
    programme = programme_of(event.source)
    return OutboxRow({"_id": event.id, "programme": programme, **document, "sequence": event.sequence}, event)


async def _keep(store: Store, rows: Sequence[OutboxRow], imported: Imported) -> None:
    """Insert the rows of a batch that the outbox lacks, and note their subjects, in one transaction."""
    # A topic may hold an event more than once; a repeat has the same position.
    by_position = {each.position: each for each in rows}
    if by_position:
        lacking, forks = await store.transaction(partial(_insert, store, by_position))
        imported.forks += forks
        for each in lacking:
            topic = each.document["topic"]
            imported.events[topic] = imported.events.get(topic, 0) + 1


async def _insert(
    store: Store, rows: Mapping[tuple[SubjectKey, int], OutboxRow], transaction: Transaction
) -> tuple[list[OutboxRow], list[Document]]:
    positions = [{"programme": p, "topic": t, "key": k, "sequence": n} for (p, t, k), n in rows]
    present = {}
    async for each in store["outbox"].find({"$or": positions}, {"value": 0, "headers": 0}, session=transaction):
        present[(each["programme"], each["topic"], each["key"]), each["sequence"]] = each["_id"]
    lacking = [row for position, row in rows.items() if position not in present]
    forks = [
        {
            "subject": row.place[2],
            "topic": row.place[1],
            "sequence": position[1],
            "bus": row.document["_id"],
            "backup": present[position],
        }
        for position, row in rows.items()
        if row.event is not None and position in present and present[position] != row.document["_id"]
    ]
    writes = {"outbox": [InsertOne(each.document) for each in lacking], "recalled": _recalled(lacking)}
    await store.write_all(writes, transaction)
    return lacking, forks


def _recalled(rows: Sequence[OutboxRow]) -> list[Any]:
    by_place: dict[SubjectKey, list[OutboxRow]] = {}
    for each in rows:
        by_place.setdefault(each.place, []).append(each)
    # An event with a cause is repeated when its service takes the cause again. One without was a command, whose effect is lost.
    return [
        note_subject(
            place,
            max(each.document["sequence"] for each in some),
            [_caused(each.event) for each in some if each.event is not None and each.event.causationid],
            [_lost(each.event) for each in some if each.event is not None and not each.event.causationid],
        )
        for place, some in by_place.items()
    ]


def _caused(event: Event[Any]) -> Document:
    return {"id": event.id, "type": event.type, "data": digest_of(event.data)}


def _lost(event: Event[Any]) -> Document:
    return {"id": event.id, "type": event.type, "sequence": event.sequence, "at": event.recordedtime.astimezone(UTC)}


async def _acknowledge(store: Store, topic: str, state: TopicState, generation: int) -> None:
    """Let the relay continue after the records on the topic, and notice any loss from now on."""
    await take_over(store, topic, state.id, state.ends, generation)
