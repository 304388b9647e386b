"""Removal of the erased from restored databases, before any service can read them.

Two ways. With key files the services will start: here everything goes that no rule of a service has to judge (keys, cards, accesses,
kept answers, rows), and each service empties its aggregates at its next start, before any role (`services.operations.erasures`).
Without key files a database is looked at and nothing else: here everything goes. Invariant: afterwards an erased person's id is in
BOOKKEEPING alone, whose personal content is encrypted under a key that nobody has; in the first way also in aggregates until that start.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from services.contracts.topics import CONTACTS, KEYS
from services.operations.backup.documents import decode, undecoded
from services.store.clock import now_utc
from services.store.mongo import DeleteMany, Document, Store
from services.store.people import erasure

AT_ONCE = 500  # persons in one write
# As `Id` of the contracts: ids stand between other characters everywhere. The second finds one that a dot or a line joins to more.
IDS = (re.compile(rb"[A-Za-z0-9._-]+"), re.compile(rb"[A-Za-z0-9-]+"))
# Records as they are on the bus, and what keeps their order: without them sequences would be given twice.
BOOKKEEPING = {
    "dead", "dismissed", "erased", "marks", "offsets", "outbox", "parked", "projections", "recalled", "relay", "restored", "topics",
}  # fmt: skip
AGGREGATE = {"state", "version", "sequences"}  # fields of an aggregate's document
# Without a service, records that wait for one have no use.
OF_SERVICES = {"dead", "parked"}
# People as digests, under a key of their service alone: nothing here can find one. With its key the service does (`Holding`).
DIGESTS = {"cells"}


async def forget(store: Store, erased: Collection[str]) -> None:
    """Register erased persons (`programme/person`), and delete their keys, cards, accesses, and published keys and cards."""
    for some in _several(sorted(erased)):
        writes: dict[str, list[Any]] = {"outbox": []}
        for _id in some:
            programme, _, person = _id.partition("/")
            for collection, those in erasure(programme, person, now_utc()).items():
                writes.setdefault(collection, []).extend(those)
            writes["outbox"] += [_published(programme, person, topic.name) for topic in (KEYS, CONTACTS)]
        await store.write_all(writes)


def _published(programme: str, person: str, topic: str) -> DeleteMany:
    # Rows without a value are tombstones: they stay, since they delete the key from the topic.
    where = {"programme": programme, "topic": topic, "key": person, "sequence": {"$gt": 0}, "value": {"$ne": None}}
    return DeleteMany(where)


def purge(store: Store, erased: Collection[str], *, aggregates: bool) -> None:
    """Delete what a database holds of erased persons. `aggregates`: also from those. Blocks, so call it in a thread."""
    people = frozenset(_id.partition("/")[2].encode() for _id in erased)
    database = store.bare
    names = database.list_collection_names(filter={"type": "collection"}) if people else []
    for name in names:
        if aggregates and name in DIGESTS:
            database[name].delete_many({})
        elif name not in BOOKKEEPING or (aggregates and name in OF_SERVICES):
            _purge_collection(database[name], people, aggregates=aggregates)


def _purge_collection(collection: Any, people: frozenset[bytes], *, aggregates: bool) -> None:
    for raw in undecoded(collection):
        named = _named(raw, people)
        document = decode(raw) if named else {}
        if not named or (document.keys() >= AGGREGATE and not aggregates):
            continue
        left = None if _is_about(document, named) else _without(document, named)
        # Whatever still names somebody has an unknown form, and goes as a whole.
        if left is None or any(each in _words(left) for each in named):
            collection.delete_one({"_id": document["_id"]})
        else:
            collection.replace_one({"_id": document["_id"]}, left)


def _named(raw: bytes, people: frozenset[bytes]) -> set[str]:
    return {each.decode() for each in people.intersection(_found(raw))}


def _is_about(document: Document, people: set[str]) -> bool:
    """Tell if a document is about one of these, and not merely names them among others: by its id, or by a field of its own."""
    fields = [document["_id"], *document.values(), *(document.get("state") or {}).values()]
    return any(people & set(_words(each)) for each in fields if isinstance(each, str))


def _without(value: Any, people: set[str]) -> Any:
    """Return the value without parts that name one of these: entries of lists, and fields of documents by name or content."""
    if isinstance(value, Mapping):
        kept = {
            name: each for name, each in value.items() if not people & {name, each if isinstance(each, str) else ""}
        }
        return {name: _without(each, people) for name, each in kept.items()}
    if isinstance(value, list):
        return [_without(each, people) for each in value if not _is_entry_of(each, people)]
    return value


def _is_entry_of(value: Any, people: set[str]) -> bool:
    direct = value.values() if isinstance(value, Mapping) else [value]
    return any(isinstance(each, str) and people & set(_words(each)) for each in direct)


def _words(value: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        return [word for name, each in value.items() for word in (*_words(name), *_words(each))]
    if isinstance(value, list):
        return [word for each in value for word in _words(each)]
    raw = value.encode() if isinstance(value, str) else value
    return [word.decode() for word in _found(raw)] if isinstance(raw, bytes) else []


def _found(raw: bytes) -> Iterator[bytes]:
    return chain.from_iterable(each.findall(raw) for each in IDS)


def _several(ids: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), AT_ONCE):
        yield list(ids[start : start + AT_ONCE])
