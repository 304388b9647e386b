"""What a handler is given: the aggregates, the clock and the keys of one programme, inside one transaction it never sees.

Invariant: a handler reads and changes aggregates and says nothing to any engine; the boundary commits once, after it returned.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar, cast

from services import vault
from services.contracts import Topic
from services.contracts.topics import CONTACTS, KEYS
from services.kernel import Aggregate, Refusal, Refused, new_id
from services.programmes import Programme
from services.store.mongo import DeleteMany, InsertOne, UpdateOne
from services.store.unit import Cause, Unit
from services.telemetry import Telemetry

A = TypeVar("A", bound=Aggregate)


class Work:
    """One programme's view of a `Unit`, for one command or one event."""

    def __init__(self, unit: Unit, rules: Programme, cause: Cause) -> None:
        self._unit, self.rules, self.cause = unit, rules, cause
        self.programme = cause.programme
        self._given: set[tuple[type[Aggregate], str]] = set()

    @property
    def now(self) -> datetime:
        """When this is written down (UTC)."""
        return self._unit.now

    @property
    def at(self) -> datetime:
        """When it happened in the world (UTC); never later than `now`."""
        return self.cause.at

    @property
    def recalls(self) -> bool:
        """Whether the database was restored, so that what happens now may have happened before."""
        return self._unit.store.recalls

    async def get(self, kind: type[A], id: str) -> A:
        """The aggregate, guarded. Refused("no-such-…", 404) when there is none."""
        found = await self.find(kind, id)
        if found is None:
            raise Refused(f"no-such-{kind.noun}", f"There is no {kind.noun} {id}.", Refusal.NOT_FOUND)
        return found

    async def find(self, kind: type[A], id: str) -> A | None:
        """The aggregate, guarded, or None."""
        aggregate = await self._held(kind, id)
        self._unit.peeked.discard((kind, f"{self.programme}/{id}"))
        return aggregate

    async def peek(self, kind: type[A], id: str) -> A | None:
        """The aggregate for a look that no decision rests on: not guarded."""
        known = (kind, f"{self.programme}/{id}") in self._unit.held
        aggregate = await self._held(kind, id)
        if aggregate is not None and not known:
            self._unit.peeked.add((kind, f"{self.programme}/{id}"))
        return aggregate

    async def _held(self, kind: type[A], id: str) -> A | None:
        await self._unit.load(kind, self.programme, [id])
        self._given.add((kind, f"{self.programme}/{id}"))
        held = self._unit.held.get((kind, f"{self.programme}/{id}"))
        return cast("A", held.aggregate) if held and not held.removed else None

    @property
    def untouched(self) -> bool:
        """Whether nothing that this work gave out has anything to be written for: then it can be left as if it had not begun."""
        if self._unit.voice:
            return False
        given = (held for key, held in self._unit.held.items() if key in self._given)
        return all(not held.removed and held.unchanged() for held in given)

    async def where(self, kind: type[A], **fields: Any) -> list[A]:
        """All that are stored with these field values, guarded, oldest first. `a__b` asks for field b of a; a list means any of."""
        found = await self._unit.query(kind, self.programme, fields)
        self._given |= {(kind, f"{self.programme}/{each.id}") for each in found}
        self._unit.peeked -= {(kind, f"{self.programme}/{each.id}") for each in found}
        return found

    async def browse(self, kind: type[A], **fields: Any) -> list[A]:
        """As `where`, for a look that no decision rests on: not guarded."""
        known = set(self._unit.held)
        found = await self._unit.query(kind, self.programme, fields)
        self._unit.peeked |= {key for each in found if (key := (kind, f"{self.programme}/{each.id}")) not in known}
        return found

    def add(self, aggregate: Aggregate) -> None:
        """Store a new one. Refused("already-there") when its id is taken."""
        self._given.add((type(aggregate), f"{self.programme}/{aggregate.id}"))
        self._unit.add(aggregate, self.programme)

    def remove(self, aggregate: Aggregate) -> None:
        """Delete it, with all it held: for erasure, after which nobody asks for it again."""
        self._unit.held[type(aggregate), f"{self.programme}/{aggregate.id}"].removed = True

    async def note_access(self, person: str, who: str, role: str, what: str) -> None:
        """Write down who read what of a person, before they do."""
        entry = {
            "_id": new_id(),
            "programme": self.programme,
            "person": person,
            "who": who,
            "role": role,
            "what": what,
            "at": self.now,
        }
        await self._unit.store.write("access", [InsertOne(entry)], self._unit.session)

    def follow(self, traceparent: str | None) -> None:
        """What is said here goes on in that trace, to which the present one links: one trace for one person's way."""
        if traceparent is not None:
            self.cause = replace(self.cause, traceparent=traceparent)
            self.link([traceparent])

    def link(self, traceparents: Iterable[str]) -> None:
        """Tell the trace of this work which other traces led to it."""
        Telemetry.link(sorted(set(traceparents)))

    def version(self, aggregate: Aggregate) -> int:
        """The version at which it was read (0: new)."""
        return self._unit.held[type(aggregate), f"{self.programme}/{aggregate.id}"].version

    def table(self, topic: Topic, by: Aggregate, value: bytes | None) -> None:
        """Publish the newest record of this aggregate on a compacted topic; None is a tombstone."""
        self._unit.records.append((topic.name, by, value, self.cause))

    async def published(self, topic: Topic, by: Aggregate) -> bytes | None:
        """What this aggregate published last on a compacted topic; None when it was nothing, or a tombstone."""
        where = {"programme": self.programme, "topic": topic.name, "key": by.id, "sequence": {"$gt": 0}}
        newest = self._unit.store["outbox"].find(where, session=self._unit.session).sort("sequence", -1).limit(1)
        return next((each["value"] for each in await newest.to_list(1)), None)

    async def key(self, person: str) -> bytes:
        """The person's key. Erased (410), or NotYet when it has not reached this service."""
        return await self._unit.key(self.programme, person)

    async def seal(self, person: str, field: str, text: str) -> str:
        """Encrypt a field of a person; only a service that holds the person's key can read it, and nobody after erasure."""
        return vault.seal(await self.key(person), person, field, text)

    async def unseal(self, person: str, field: str, sealed: str) -> str:
        """Read what `seal` wrote."""
        return vault.open_sealed(await self.key(person), person, field, sealed)

    async def new_key(self, by: Aggregate) -> None:
        """Make the key of the person that `by` stands for (enrolment alone can), and publish it wrapped for those who may read."""
        unit, _id = self._unit, f"{self.programme}/{by.id}"
        made = unit.holder.make(by.id)
        unit.keys[by.id] = made.key
        await unit.store.write(
            "keys", [InsertOne({"_id": _id, "programme": self.programme, **made.kept})], unit.session
        )
        self.table(KEYS, by, made.published)

    async def destroy_key(self, by: Aggregate) -> None:
        """Erase whom `by` stands for: the key goes from here and from the outbox, the bus is told with tombstones, and the person
        enters the register of the erased."""
        unit, person = self._unit, by.id
        await forget(unit, self.programme, person)
        tables = {"programme": self.programme, "key": person, "topic": {"$in": [KEYS.name, CONTACTS.name]}}
        await unit.store.write("outbox", [DeleteMany(tables)], unit.session)
        for topic in (KEYS, CONTACTS):
            self.table(topic, by, None)


async def forget(unit: Unit, programme: str, person: str) -> None:
    """Destroy this service's copy of the person's key and contact card, and remember for ever that the person was erased."""
    _id = f"{programme}/{person}"
    unit.keys.pop(person, None)
    for table in ("keys", "contacts"):
        await unit.store.write(table, [DeleteMany({"_id": _id})], unit.session)
    await unit.store.write("access", [DeleteMany({"programme": programme, "person": person})], unit.session)
    entry = UpdateOne({"_id": _id}, {"$setOnInsert": {"programme": programme, "at": unit.now}}, upsert=True)
    await unit.store.write("erased", [entry], unit.session)
