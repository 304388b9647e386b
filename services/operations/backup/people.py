"""People's keys come back after a restore, and those who were erased since the backup do not.

Where keys come from: the compacted topic, which has the newest of everybody and knows who was erased; or, when that topic is lost as well,
a file that the operator kept apart. Invariant: whoever is erased, by any register, tombstone or event that can be seen, has no key, no
card and no access log afterwards, and stands in the register of every restored service before it takes anything.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.contracts import Unreadable
from services.contracts import decode as event_of
from services.contracts.enrolment import WorkerErased
from services.contracts.topics import CONTACTS, KEYS
from services.operations.backup import sealed
from services.operations.backup.bus_reader import Reading
from services.operations.backup.documents import encode, stream
from services.operations.backup.key_access import Openers, pieces
from services.operations.backup.manifest import Topic as Acknowledged
from services.store.clock import now_utc
from services.store.mongo import DeleteMany, Document, InsertOne, Store, UpdateOne

EVENTS = WorkerErased.topic
AT_ONCE = 500
Served = Callable[[str], bool]


@dataclass(slots=True)
class People:
    """By `programme/person`: who was erased, and of whom the bus has a key. `authority`: whether it has everybody's. `sample`: somebody,
    and their key as it stands there."""

    erased: set[str] = field(default_factory=set)
    alive: set[str] = field(default_factory=set)
    authority: bool = False
    sample: tuple[str, bytes] | None = None

    def may_live(self, _id: str) -> bool:
        """Whether this person's key may come back."""
        return _id not in self.erased and (not self.authority or _id in self.alive)


async def look(reading: Reading, known: Mapping[str, Acknowledged], served: Served) -> People:
    """What the bus says of people."""
    people, standing = People(), await reading.standing([KEYS.name, EVENTS])
    if KEYS.name in standing:
        people.authority = standing[KEYS.name].known_as(known.get(KEYS.name))
        async for records in reading.records(KEYS.name, standing[KEYS.name], {}):
            for each in records:
                if (_id := _person(each, served)) is not None:
                    (people.erased if each.value is None else people.alive).add(_id)
                    people.sample = (_id.partition("/")[2], each.value) if each.value else people.sample
    if EVENTS in standing:
        same = standing[EVENTS].known_as(known.get(EVENTS))
        start = known[EVENTS].ends if same else {}
        async for records in reading.records(EVENTS, standing[EVENTS], start):
            people.erased |= {_id for each in records if (_id := _erased(each.value, served)) is not None}
    people.alive -= people.erased
    return people


def _person(record: Any, served: Served) -> str | None:
    programme = dict(record.headers).get("programme", b"").decode(errors="replace")
    return f"{programme}/{record.key.decode()}" if record.key and served(programme) else None


def _erased(value: bytes | None, served: Served) -> str | None:
    if value is None or WorkerErased.type.encode() not in value:
        return None
    try:
        event = event_of(value)
    except Unreadable:
        return None
    return f"{event.programme}/{event.subject}" if event.type == WorkerErased.type and served(event.programme) else None


async def registered(stores: Iterable[Store]) -> set[str]:
    """Who stands in the registers of these databases."""
    return {each["_id"] for store in stores async for each in store["erased"].find({}, {"_id": 1})}


async def forget(store: Store, erased: Collection[str]) -> None:
    """They are in the register; what was kept of them here goes. Rows and aggregates follow when the erasure itself is taken again."""
    for some in _several(sorted(erased)):
        split = [(_id, *_id.split("/", 1)) for _id in some]
        entry = {"at": now_utc()}
        await store.write_all(
            {
                "erased": [
                    UpdateOne({"_id": i}, {"$setOnInsert": {"programme": p, **entry}}, upsert=True) for i, p, _ in split
                ],
                "contacts": [DeleteMany({"_id": {"$in": some}})],
                "keys": [DeleteMany({"_id": {"$in": some}})],
                "access": [DeleteMany({"programme": p, "person": person}) for _, p, person in split],
                "outbox": [
                    DeleteMany(
                        {
                            "programme": p,
                            "topic": topic.name,
                            "key": person,
                            "sequence": {"$gt": 0},
                            "value": {"$ne": None},
                        }
                    )
                    for _, p, person in split
                    for topic in (KEYS, CONTACTS)
                ],
            }
        )


async def keys_from_bus(reading: Reading, store: Store, openers: Openers, people: People, served: Served) -> int:
    """Wrap for enrolment, by its master key, what the bus has wrapped for the services; for how many."""
    standing, there = await reading.standing([KEYS.name]), 0
    if KEYS.name not in standing:
        return 0
    async for records in reading.records(KEYS.name, standing[KEYS.name], {}):
        found = {_id: each.value for each in records if each.value and (_id := _person(each, served)) is not None}
        wanted = [_id for _id in found if people.may_live(_id)]
        known = await store.by_id("keys", wanted)
        new = []
        for _id in wanted:
            if _id not in known:
                programme, _, person = _id.partition("/")
                wrapped = openers.master.wrap(person, openers.open(person, found[_id]))
                new.append(InsertOne({"_id": _id, "programme": programme, "wrapped": wrapped}))
        await store.write("keys", new)
        there += len(new)
    return there


async def keyless(store: Store, people: People) -> list[str]:
    """Of whom enrolment knows, and whose key it has not: what is kept of them cannot be read."""
    known = {each["_id"] async for each in store["worker"].find({"state.status": {"$ne": "erased"}}, {"_id": 1})}
    opened = {each["_id"] async for each in store["keys"].find({}, {"_id": 1})}
    return sorted(known - opened - people.erased)


def keys_to_file(path: Path, passphrase: str, databases: Mapping[str, Any], moment: Any) -> None:
    """What enrolment keeps of people's keys, and what it had published of them, at this moment. Runs in a thread."""
    published, database = {"topic": KEYS.name, "value": {"$ne": None}}, databases["enrolment"]

    def all_of_them() -> Iterator[bytes]:
        for collection, where in (("keys", None), ("outbox", published)):
            for each in stream(database, collection, moment, where):
                yield encode({"c": collection, "d": each})

    sealed.write(path, passphrase, all_of_them())


async def keys_from_file(path: Path, passphrase: str, store: Store, people: People) -> int:
    """Those that enrolment lacks, of whom may live; how many came. Misconfigured when the file does not open."""
    there = 0
    for some in pieces(path, passphrase):
        keys = {
            each["d"]["_id"]: each["d"] for each in some if each["c"] == "keys" and people.may_live(each["d"]["_id"])
        }
        known = await store.by_id("keys", list(keys))
        new = [InsertOne(each) for _id, each in keys.items() if _id not in known]
        letters = [each["d"] for each in some if each["c"] == "outbox"]
        await store.write("keys", new)
        await _put_back([each for each in letters if people.may_live(f"{each['programme']}/{each['key']}")], store)
        there += len(new)
    return there


async def _put_back(letters: Sequence[Document], store: Store) -> None:
    """What had been published, where the bus did not give it back."""
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
        for each in letters
    ]
    await store.write("outbox", writes)


def _several(ids: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), AT_ONCE):
        yield list(ids[start : start + AT_ONCE])
