"""People's keys after a restore: they come back for everybody who was not erased since the backup.

Keys come from the compacted topic, which has the newest key of everybody and tombstones of the erased. If that topic is lost as well, they
come from a file that the operator kept. Invariant: a person who is erased, by any register, tombstone or event that can be seen, gets
no key back (`purge` removes the rest).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.contracts import Unreadable
from services.contracts import decode as event_of
from services.contracts.enrolment import WorkerErased
from services.contracts.topics import KEYS
from services.operations.backup import sealed
from services.operations.backup.bus_reader import BusReader
from services.operations.backup.documents import encode, stream
from services.operations.backup.key_access import KeyAccess, pieces
from services.operations.backup.manifest import Topic as Acknowledged
from services.store.mongo import Document, InsertOne, Store, UpdateOne

EVENTS = WorkerErased.topic
Served = Callable[[str], bool]  # True for a programme of these databases


@dataclass(slots=True)
class People:
    """Persons by `programme/person`: the erased, and those whose key is on the bus. `authority`: the bus has everybody's key.
    `knows_erased`: the bus has every erasure since the backup; `erasures`: the records of those that it has.
    `sample`: one person and the wrapped key from the bus."""

    erased: set[str] = field(default_factory=set)
    erasures: dict[str, bytes] = field(default_factory=dict)
    knows_erased: bool = False
    alive: set[str] = field(default_factory=set)
    authority: bool = False
    sample: tuple[str, bytes] | None = None

    def may_live(self, _id: str) -> bool:
        """Tell if this person's key may come back."""
        # A topic that lost nothing has a key of everybody who was not erased, also when the tombstone is gone by now.
        return _id not in self.erased and (not self.authority or _id in self.alive)


async def read_people(reader: BusReader, known: Mapping[str, Acknowledged], served: Served) -> People:
    """Read from the bus which people have a key and which were erased."""
    people, topics = People(), await reader.states([KEYS.name, EVENTS])
    if KEYS.name in topics:
        people.authority = topics[KEYS.name].known_as(known.get(KEYS.name))
        async for records in reader.records(KEYS.name, topics[KEYS.name], {}):
            for each in records:
                if (_id := _person(each, served)) is not None:
                    (people.erased if each.value is None else people.alive).add(_id)
                    people.sample = (_id.partition("/")[2], each.value) if each.value else people.sample
    if EVENTS in topics:
        same = topics[EVENTS].known_as(known.get(EVENTS))
        # A backup of before the first acknowledgement: whatever the topic has came later.
        people.knows_erased = same or EVENTS not in known
        start = known[EVENTS].ends if same else {}
        async for records in reader.records(EVENTS, topics[EVENTS], start):
            people.erasures |= {_id: each.value for each in records if (_id := _erased(each.value, served)) is not None}
    people.erased |= set(people.erasures)
    people.alive -= people.erased
    return people


def _person(record: Any, served: Served) -> str | None:
    programme = dict(record.headers).get("programme", b"").decode(errors="replace")
    return f"{programme}/{record.key.decode()}" if record.key and served(programme) else None


def _erased(value: bytes | None, served: Served) -> str | None:
    if value is None or WorkerErased.type.encode() not in value:  # decoding each of a long topic's events takes minutes
        return None
    try:
        event = event_of(value)
    except Unreadable:
        return None
    return f"{event.programme}/{event.subject}" if event.type == WorkerErased.type and served(event.programme) else None


async def keys_from_bus(reader: BusReader, store: Store, access: KeyAccess, people: People, served: Served) -> int:
    """Wrap with enrolment's master key the keys that the bus has wrapped for services. Returns the number of keys."""
    topics, restored = await reader.states([KEYS.name]), 0
    if KEYS.name not in topics:
        return 0
    async for records in reader.records(KEYS.name, topics[KEYS.name], {}):
        found = {_id: each.value for each in records if each.value and (_id := _person(each, served)) is not None}
        wanted = [_id for _id in found if people.may_live(_id)]
        known = await store.by_id("keys", wanted)
        new = []
        for _id in wanted:
            if _id not in known:
                programme, _, person = _id.partition("/")
                wrapped = access.master.wrap(person, access.open(person, found[_id]))
                new.append(InsertOne({"_id": _id, "programme": programme, "wrapped": wrapped}))
        await store.write("keys", new)
        restored += len(new)
    return restored


async def keyless(store: Store, people: People) -> list[str]:
    """List the persons that enrolment knows without having their key: their data cannot be read."""
    known = {each["_id"] async for each in store["worker"].find({"state.status": {"$ne": "erased"}}, {"_id": 1})}
    opened = {each["_id"] async for each in store["keys"].find({}, {"_id": 1})}
    return sorted(known - opened - people.erased)


def keys_to_file(path: Path, passphrase: str, databases: Mapping[str, Any], moment: Any) -> None:
    """Write the keys that enrolment has, and their records in its outbox, at this moment. Blocks, so call it in a thread."""
    published, database = {"topic": KEYS.name, "value": {"$ne": None}}, databases["enrolment"]

    def all_of_them() -> Iterator[bytes]:
        for collection, where in (("keys", None), ("outbox", published)):
            for each in stream(database, collection, moment, where):
                yield encode({"c": collection, "d": each})

    sealed.write(path, passphrase, all_of_them())


async def keys_from_file(path: Path, passphrase: str, store: Store, people: People) -> int:
    """Insert the keys that enrolment lacks, except of erased persons. Returns their number; Misconfigured when the file does not open."""
    restored = 0
    for some in pieces(path, passphrase):
        keys = {
            each["d"]["_id"]: each["d"] for each in some if each["c"] == "keys" and people.may_live(each["d"]["_id"])
        }
        known = await store.by_id("keys", list(keys))
        new = [InsertOne(each) for _id, each in keys.items() if _id not in known]
        rows = [each["d"] for each in some if each["c"] == "outbox"]
        await store.write("keys", new)
        await _insert_rows([each for each in rows if people.may_live(f"{each['programme']}/{each['key']}")], store)
        restored += len(new)
    return restored


async def _insert_rows(rows: Sequence[Document], store: Store) -> None:
    """Insert outbox rows of published keys that did not come back from the bus."""
    writes = [
        UpdateOne(
            {name: each[name] for name in ("programme", "topic", "key", "sequence")},
            {
                "$setOnInsert": {
                    name: value for name, value in each.items() if name not in {"programme", "topic", "key", "sequence"}
                }
            },
            upsert=True,
        )
        for each in rows
    ]
    await store.write("outbox", writes)
