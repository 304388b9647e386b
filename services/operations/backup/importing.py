"""What the bus has of a service, and its restored database lacks, is brought back into its outbox.

Invariants: an event comes back as it stands on the bus, bytes and all, once, however often this is begun again; its subject goes on behind
the last sequence that was ever given; two events at one place are told, and neither is touched. Only the service's own topics are
read, and on those that the backup knew only what came after it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from functools import partial
from typing import Any

from services.contracts import TOPICS, Event, Topic, Unreadable, decode
from services.contracts.topics import programme_of
from services.events.outbox.acknowledged import generation_of, take_over
from services.kernel import new_id
from services.operations.backup.manifest import Topic as Acknowledged
from services.operations.backup.reading import Reading, TopicState
from services.store.mongo import Document, InsertOne, Session, Store
from services.store.restored import Place, digest_of, recalling

Note = Callable[[str, int], None]  # of a topic, how many records were read
GENERATION = "generation"  # a header that the relay puts there anew


@dataclass(frozen=True, slots=True)
class Letter:
    """A record as the outbox keeps it; an event, unless its topic is compacted."""

    document: Document
    event: Event[Any] | None

    @property
    def place(self) -> Place:
        """Whose it is."""
        return self.document["programme"], self.document["topic"], self.document["key"]

    @property
    def spot(self) -> tuple[Place, int]:
        """The place that no other may have."""
        return self.place, self.document["sequence"]


@dataclass(slots=True)
class Imported:
    """How many events came back, by topic, and which could not: another event has their place."""

    events: dict[str, int] = field(default_factory=dict)
    forks: list[Document] = field(default_factory=list)
    unreadable: int = 0


async def bring_back(
    service: str,
    store: Store,
    reading: Reading,
    known: Mapping[str, Acknowledged],
    served: Callable[[str], bool],
    note: Note,
) -> Imported:
    """All of this service's topics. `known`: what Kafka had acknowledged when the backup was taken."""
    imported = Imported()
    own = {topic.name: topic for topic in TOPICS.values() if topic.writer == service}
    for name, standing in (await reading.standing(own)).items():
        same = standing.known_as(known.get(name))
        start = known[name].ends if same and not own[name].compacted else {}
        read, generation = 0, 0
        async for records in reading.records(name, standing, start):
            letters = [letter for each in records if (letter := _letter(own[name], each, imported)) is not None]
            generation = max([generation, *(generation_of(each) for each in records)])
            await _keep(store, [each for each in letters if served(each.document["programme"])], imported)
            read += len(records)
            note(f"{service} {name}", read)
        if same:
            await _acknowledge(store, name, standing, generation)
    return imported


def _letter(topic: Topic, record: Any, imported: Imported) -> Letter | None:
    key, value, headers = (record.key or b"").decode(errors="replace"), record.value, dict(record.headers)
    kept = [[name, text] for name, text in record.headers if name != GENERATION]
    document = {"topic": topic.name, "key": key, "value": value, "headers": kept}
    try:
        if topic.compacted:
            programme, sequence = headers["programme"].decode(), int(headers["sequence"])
            return Letter({"_id": new_id(), "programme": programme, **document, "sequence": sequence}, None)
        event = decode(value)
    except (Unreadable, KeyError, ValueError):
        imported.unreadable += 1
        return None
    programme = programme_of(event.source)
    return Letter({"_id": event.id, "programme": programme, **document, "sequence": event.sequence}, event)


async def _keep(store: Store, letters: Sequence[Letter], imported: Imported) -> None:
    """Those of a batch that the outbox lacks, and what must be known of their subjects, in one transaction."""
    by_spot = {each.spot: each for each in letters}
    if by_spot:
        lacking, forks = await store.transaction(partial(_insert, store, by_spot))
        imported.forks += forks
        for each in lacking:
            topic = each.document["topic"]
            imported.events[topic] = imported.events.get(topic, 0) + 1


async def _insert(
    store: Store, letters: Mapping[tuple[Place, int], Letter], session: Session
) -> tuple[list[Letter], list[Document]]:
    spots = [{"programme": p, "topic": t, "key": k, "sequence": n} for (p, t, k), n in letters]
    there = {}
    async for each in store["outbox"].find({"$or": spots}, {"value": 0, "headers": 0}, session=session):
        there[(each["programme"], each["topic"], each["key"]), each["sequence"]] = each["_id"]
    lacking = [letter for spot, letter in letters.items() if spot not in there]
    forks = [
        {
            "subject": letter.place[2],
            "topic": letter.place[1],
            "sequence": spot[1],
            "bus": letter.document["_id"],
            "backup": there[spot],
        }
        for spot, letter in letters.items()
        if letter.event is not None and spot in there and there[spot] != letter.document["_id"]
    ]
    writes = {"outbox": [InsertOne(each.document) for each in lacking], "recalled": _recalled(lacking)}
    await store.write_all(writes, session)
    return lacking, forks


def _recalled(letters: Sequence[Letter]) -> list[Any]:
    by_place: dict[Place, list[Letter]] = {}
    for each in letters:
        by_place.setdefault(each.place, []).append(each)
    return [
        recalling(
            place,
            max(each.document["sequence"] for each in some),
            [_said(each.event) for each in some if each.event is not None and each.event.causationid],
            [_lost(each.event) for each in some if each.event is not None and not each.event.causationid],
        )
        for place, some in by_place.items()
    ]


def _said(event: Event[Any]) -> Document:
    return {"id": event.id, "type": event.type, "data": digest_of(event.data)}


def _lost(event: Event[Any]) -> Document:
    return {"id": event.id, "type": event.type, "sequence": event.sequence, "at": event.recordedtime.astimezone(UTC)}


async def _acknowledge(store: Store, topic: str, standing: TopicState, generation: int) -> None:
    """The relay goes on behind what is there, and sees what is lost from now on."""
    await take_over(store, topic, standing.id, standing.ends, generation)
