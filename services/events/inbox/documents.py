"""Documents of the inbox in MongoDB: one typed class for each collection, with its id and its conversions.

Invariant: this module alone spells the fields of `marks`, `offsets`, `parked`, `dead` and `dismissed` when they are written, but for the
`fence` of `offsets`.
"""

import re
from datetime import datetime
from enum import StrEnum
from typing import NotRequired, TypedDict

from services.events.delivery.state import Dead, Mark, Parked, ParkedStatus, Partition, Record, key_of
from services.events.inbox.memory import Version
from services.store.fence import new_fence
from services.store.mongo import Document, UpdateOne

GATE = "gate"  # the consumer of consents and erasures, which keeps no marks
REMEMBERED = 50  # entries of a dead letter's history
_GENERATION = re.compile(r"\.g\d+$")


class DeadStatus(StrEnum):
    """State of a dead letter. The values are stored, and are part of the HTTP interface."""

    OPEN = "open"
    REDRIVEN = "redriven"
    DISMISSED = "dismissed"
    SUPERSEDED = "superseded"  # the generation of its consumer was discarded


class MarkDocument(TypedDict):
    """Collection `marks`: the last event that a consumer took of one source and subject. `stopped`: why it takes no more.

    Without `_id` (see `mark_id`), because MongoDB skips a replacement that equals the whole stored document. A transaction that parks an
    event must write the mark even when it stays the same, so that it conflicts with one that lets the subject go on.
    """

    consumer: str
    subject_key: str
    sequence: int
    id: str
    stopped: NotRequired[str]


class OffsetDocument(TypedDict):
    """Collection `offsets`: the `next` offset that a consumer takes of one partition. `generation`: that of the topic's records.

    `next` and `fence` are the version of what the consumer remembers (`services.events.inbox.memory`). A document of before they were has
    no `fence`, or a number.
    """

    _id: str
    consumer: str
    topic: str
    partition: int
    next: int
    generation: NotRequired[int]
    fence: NotRequired[str]


class RecordFields(TypedDict):
    """A Kafka record, as part of a document. Headers are left out: nothing that is parked or dead is read by them."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


class ParkedDocument(RecordFields):
    """Collection `parked`: an event that waits. `retry`: the time of the next try."""

    _id: str
    consumer: str
    subject_key: str
    sequence: int
    status: str
    reason: str
    since: datetime
    retry: datetime
    tries: int


class HistoryEntry(TypedDict):
    """One thing that happened to a dead letter. `by`: a consumer or an operator."""

    at: datetime
    what: str
    by: str
    why: NotRequired[str]


class DeadLetter(RecordFields):
    """Collection `dead`: a record that a consumer cannot take; one document however often it dies. Those without `subject_key` are no
    events."""

    _id: str
    consumer: str
    name: str
    status: str
    why: str
    at: datetime
    origin: str
    intruder: bool
    history: list[HistoryEntry]
    subject_key: NotRequired[str]
    sequence: NotRequired[int]
    type: NotRequired[str]
    subject: NotRequired[str]


class Dismissal(TypedDict):
    """Collection `dismissed`: a record that no generation of a consumer takes. `keeps`: an event that keeps its place and counts as
    taken; an intruder does not."""

    _id: str
    consumer: str
    name: str
    keeps: bool
    by: str
    why: str
    at: datetime


def without_generation(consumer: str) -> str:
    """The consumer's name for all its generations: a dismissal holds for those to come."""
    return _GENERATION.sub("", consumer)


def mark_id(key: str, consumer: str) -> str:
    return f"{key}|{consumer}"


def mark_document(consumer: str, key: str, mark: Mark) -> MarkDocument:
    """The document of a mark; `key` as from `key_of`."""
    document = MarkDocument(consumer=consumer, subject_key=key, sequence=mark.sequence, id=mark.id)
    if mark.stopped:
        document["stopped"] = mark.stopped
    return document


def mark_of(document: Document) -> Mark:
    return Mark(document["sequence"], document["id"], document.get("stopped"))


def offset_id(consumer: str, partition: Partition) -> str:
    return f"{consumer}|{partition[0]}|{partition[1]}"


def offset_document(consumer: str, partition: Partition, following: int) -> OffsetDocument:
    """The document of a partition that is read from `following` on. It is another version than any before it, a deleted one included."""
    topic, number = partition
    return OffsetDocument(
        _id=offset_id(consumer, partition),
        consumer=consumer,
        topic=topic,
        partition=number,
        next=following,
        fence=new_fence(),
    )


def offset_move(consumer: str, partition: Partition, version: Version, following: int) -> UpdateOne:
    """The write that moves the offset, if its document is this version. A fence of None also matches a document without one."""
    where = {"_id": offset_id(consumer, partition), "next": version.next, "fence": version.fence}
    return UpdateOne(where, {"$set": {"next": following}})


def parked_id(key: str, consumer: str, sequence: int) -> str:
    return f"{mark_id(key, consumer)}|{sequence}"


def parked_document(consumer: str, key: str, sequence: int, parked: Parked) -> ParkedDocument:
    """The document of a parked event; `key` as from `key_of`."""
    return ParkedDocument(
        _id=parked_id(key, consumer, sequence),
        consumer=consumer,
        subject_key=key,
        sequence=sequence,
        status=parked.status.value,
        reason=parked.reason,
        since=parked.since,
        retry=parked.retry,
        tries=parked.tries,
        **_fields_of(parked.record),
    )


def parked_of(document: Document) -> Parked:
    """The event as it was parked. ValueError when its status is none of ParkedStatus."""
    status = ParkedStatus(document["status"])
    times = document["since"], document["retry"], document["tries"]
    return Parked(_record_of(document), status, document["reason"], *times)


def dead_id(consumer: str, name: str) -> str:
    return f"{consumer}/{name}"


def dead_change(consumer: str, dead: Dead, at: datetime) -> Document:
    """The update that opens the dead letter, or opens it again."""
    fields: Document = {
        "consumer": consumer,
        "name": dead.name,
        "status": DeadStatus.OPEN.value,
        "why": dead.why,
        "at": at,
    }
    fields |= {"origin": origin_of(dead.record), "intruder": dead.intruder, **_fields_of(dead.record)}
    if (event := dead.event) is not None:
        fields |= {
            "subject_key": key_of(event),
            "sequence": event.sequence,
            "type": event.type,
            "subject": event.subject,
        }
    return {"$set": fields, "$push": history_push("died", consumer, dead.why, at)}


def history_push(what: str, by: str, why: str | None, at: datetime) -> Document:
    """The `$push` of an entry into a dead letter's history."""
    entry = HistoryEntry(at=at, what=what, by=by)
    if why:
        entry["why"] = why
    return {"history": {"$each": [entry], "$slice": -REMEMBERED}}


def dismissal_of(dead: DeadLetter, by: str, why: str, at: datetime) -> Dismissal:
    """The dismissal of a dead letter by an operator."""
    consumer = without_generation(dead["consumer"])
    return Dismissal(
        _id=dead_id(consumer, dead["name"]),
        consumer=consumer,
        name=dead["name"],
        keeps=not dead["intruder"],
        by=by,
        why=why,
        at=at,
    )


def origin_of(record: Record) -> str:
    """The place of a record on the bus: topic/partition/offset."""
    return f"{record.topic}/{record.partition}/{record.offset}"


def _fields_of(record: Record) -> RecordFields:
    return RecordFields(
        topic=record.topic, partition=record.partition, offset=record.offset, key=record.key, value=record.value
    )


def _record_of(document: Document) -> Record:
    return Record(document["topic"], document["partition"], document["offset"], document["key"], document["value"])
