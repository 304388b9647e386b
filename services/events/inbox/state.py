"""A consumer's marks, offsets, parked events and dead letters in the service's own MongoDB, within the transaction of its effects.

Invariant: a partition's offset moves only from where this transaction read it, so that two copies that both believe they own a
partition cannot both take its records.
"""

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from services.events.delivery.state import BatchResult, Dead, Letter, Mark, Parked, key_of
from services.kernel import new_id
from services.store.errors import Conflict
from services.store.mongo import DeleteOne, Document, InsertOne, ReplaceOne, Store, Transaction, UpdateOne

Partition = tuple[str, int]
REMEMBERED = 50  # entries of a dead letter's history
LARGEST = 900 * 1024  # bytes of a record that the bus takes again with a reason added
OPEN = "open"
_GENERATION = re.compile(r"\.g\d+$")


def lasting(consumer: str) -> str:
    """The consumer's name without its generation: what is dismissed for one is dismissed for all that follow."""
    return _GENERATION.sub("", consumer)


class Inbox:
    """Implements `services.consumer.Desk` for one consumer and one transaction."""

    def __init__(self, consumer: str, store: Store, session: Transaction) -> None:
        self._consumer, self._store, self._session = consumer, store, session

    def _offset_id(self, partition: Partition) -> str:
        return f"{self._consumer}|{partition[0]}|{partition[1]}"

    async def offsets(self, partitions: Collection[Partition]) -> dict[Partition, int]:
        """The next offset to take, per partition; without an entry: the first."""
        found = await self._store.by_id("offsets", [self._offset_id(each) for each in partitions], self._session)
        return {(each["topic"], each["partition"]): each["next"] for each in found.values()}

    async def marks(self, keys: Collection[str]) -> dict[str, Mark]:
        """The marks there are, by key."""
        found = await self._store.by_id("marks", [f"{key}|{self._consumer}" for key in keys], self._session)
        return {each["subject_key"]: Mark(each["sequence"], each["id"], each.get("stopped")) for each in found.values()}

    async def parked(self, keys: Collection[str]) -> dict[str, dict[int, Parked]]:
        """What is parked, by key and sequence."""
        found = self._store["parked"].find(
            {"consumer": self._consumer, "subject_key": {"$in": list(keys)}}, session=self._session
        )
        parked: dict[str, dict[int, Parked]] = {}
        async for each in found:
            parked.setdefault(each["subject_key"], {})[each["sequence"]] = Parked(
                _letter(each), each["why"], each["since"], each["retry"], each["tries"]
            )
        return parked

    async def dismissed(self, names: Collection[str]) -> Mapping[str, bool]:
        """What was dismissed for this consumer. Dismissals are rare, so that it is asked first whether there are any."""
        mine, store = lasting(self._consumer), self._store
        if not await store["dismissed"].find_one({"consumer": mine}, {"_id": 1}, session=self._session):
            return {}
        found = await store.by_id("dismissed", [f"{mine}/{name}" for name in names], self._session)
        return {each["name"]: each["keeps"] for each in found.values()}

    async def save(self, turn: BatchResult) -> None:
        """Write everything the turn changed, in a bulk write per collection."""
        consumer = self._consumer
        marks = [
            ReplaceOne(
                {"_id": f"{key}|{consumer}"}, {"consumer": consumer, "subject_key": key, **_mark(mark)}, upsert=True
            )
            for key, mark in turn.marks.items()
            if mark.dirty
        ]
        parking = {
            (key, seq): ReplaceOne(
                {"_id": f"{key}|{consumer}|{seq}"},
                {"consumer": consumer, "subject_key": key, "sequence": seq, **_parked(parked)},
                upsert=True,
            )
            for key, seq in turn.fresh
            if (parked := turn.parked.get(key, {}).get(seq)) is not None
        }
        gone = [DeleteOne({"_id": f"{key}|{consumer}|{seq}"}) for key, seq in turn.unparked]
        writes = {
            "marks": marks,
            "offsets": [self._move(turn, partition) for partition in turn.offsets],
            "parked": [*parking.values(), *gone],
            "dead": [self._dead(each, turn.now) for each in turn.dead],
            "outbox": [InsertOne(self._told(each)) for each in turn.dead],
        }
        matched = await self._store.write_all(writes, self._session)
        if matched["offsets"] != len(turn.offsets.keys() & turn.before.keys()):
            raise Conflict("another copy took these records")

    def _move(self, turn: BatchResult, partition: Partition) -> Any:
        _id, following = self._offset_id(partition), turn.offsets[partition]
        if (before := turn.before.get(partition)) is None:
            return InsertOne({"_id": _id, "topic": partition[0], "partition": partition[1], "next": following})
        return UpdateOne({"_id": _id, "next": before}, {"$set": {"next": following}})

    def _dead(self, dead: Dead, now: datetime) -> Any:
        """One document for one record and consumer, however often it dies; its history says when and why."""
        place = {"origin": _origin(dead.letter), "intruder": dead.intruder, **_stored(dead.letter)}
        if (event := dead.event) is not None:
            place |= {
                "subject_key": key_of(event),
                "sequence": event.sequence,
                "type": event.type,
                "subject": event.subject,
            }
        fields = {"consumer": self._consumer, "name": dead.name, "status": OPEN, "why": dead.why, "at": now, **place}
        entry = {"at": now, "what": "died", "by": self._consumer, "why": dead.why}
        change = {"$set": fields, "$push": {"history": {"$each": [entry], "$slice": -REMEMBERED}}}
        return UpdateOne({"_id": f"{self._consumer}/{dead.name}"}, change, upsert=True)

    def _told(self, dead: Dead) -> Document:
        letter, headers = dead.letter, [["reason", dead.why.encode()[:1000]], ["origin", _origin(dead.letter).encode()]]
        fits = len(letter.value or b"") <= LARGEST
        return {
            "_id": new_id(),
            "topic": f"{letter.topic}.dead",
            "key": (letter.key or b"none")[:1000].decode(errors="replace"),
            "value": letter.value if fits else None,
            "headers": [
                *headers,
                ["consumer", self._consumer.encode()],
                *([] if fits else [["left-out", b"too large"]]),
            ],
            "sequence": 0,
        }


def _origin(letter: Letter) -> str:
    return f"{letter.topic}/{letter.partition}/{letter.offset}"


def _mark(mark: Mark) -> Document:
    return {"sequence": mark.sequence, "id": mark.id, **({"stopped": mark.stopped} if mark.stopped else {})}


def _parked(parked: Parked) -> Document:
    times = {"since": parked.since, "retry": parked.retry, "tries": parked.tries}
    return {"why": parked.why, **times, **_stored(parked.letter)}


def _stored(letter: Letter) -> Document:
    place = {"topic": letter.topic, "partition": letter.partition, "offset": letter.offset}
    return {**place, "key": letter.key, "value": letter.value}


def _letter(stored: Document) -> Letter:
    return Letter(stored["topic"], stored["partition"], stored["offset"], stored["key"], stored["value"])
