"""One MongoDB transaction from inside: the aggregates that it read, the events that they recorded, and one flush that writes it all.

Invariants: every aggregate that a decision rests on is written, at least as a guard, so that two transactions that rest on the same
reading cannot both commit. A change without an event is refused. Events get their sequence per topic and subject in the order in which
they were recorded.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, TypeVar, cast

from services import vault
from services.contracts import Restricted, Topic
from services.kernel import Aggregate, RecordedEvent, Refused
from services.store.aggregates import AggregateDocument, HeldAggregate, matches, state_query
from services.store.consents import Consents, PersonConsents
from services.store.errors import Conflict
from services.store.fence import Fence
from services.store.mongo import DeleteMany, Document, Store, Transaction
from services.store.outbox import AttributedEvent, Cause, OutboxRow, TableRecord, event_row, table_row
from services.store.people import PersonKeys, StoredKey, erasure, known
from services.store.register import ErasedRegister
from services.store.restored import RecalledSubject, SentBefore, SubjectKey
from services.vault.keyring import KeyHolder

A = TypeVar("A", bound=Aggregate)
AggregateKey = tuple[type[Aggregate], str]  # the class, and `{programme}/{id}`


class Unit:
    """The state of one transaction. Built anew for every attempt; `flush` is called once, last.

    `keys` opens persons' keys; `consents` are those of the gate; `erased` is the register of the erased; `fence` is for what changes
    what consumers remember; `now` is the time of the transaction (UTC).
    """

    def __init__(self, store: Store, transaction: Transaction, holder: KeyHolder, now: datetime) -> None:
        self.now, self.erased = now, ErasedRegister(store, transaction)
        self.keys = PersonKeys(store, transaction, holder, self.erased)
        self.consents = PersonConsents(store, transaction, self.erased)
        self.fence = Fence(store, transaction)
        self._store, self._transaction = store, transaction
        self._held: dict[AggregateKey, HeldAggregate] = {}
        self._asked: set[AggregateKey] = set()  # also those that do not exist: this snapshot will never show them
        self._events: list[RecordedEvent] = []  # recorded since the last `attribute`
        self._attributed: list[AttributedEvent] = []
        self._tables: list[TableRecord] = []
        self._sent_before = SentBefore()

    @property
    def was_restored(self) -> bool:
        """True when the database was restored, so that an event may have been sent before."""
        return self._store.was_restored

    async def knows(self, programme: str, person: str) -> bool:
        """Tell if this service has heard of the person, as this transaction sees it."""
        return await known(self._store, programme, person, self._transaction)

    async def load(self, kind: type[Aggregate], programme: str, ids: Iterable[str]) -> None:
        """Fetch those not asked for yet, in one query."""
        wanted = {key: None for each in ids if (key := (kind, f"{programme}/{each}")) not in self._asked}
        self._asked.update(wanted)
        for document in (await self.by_id(kind.noun, [_id for _, _id in wanted])).values():
            self._hold(kind, document, guarded=True)

    async def get(self, kind: type[A], programme: str, id: str, *, guarded: bool) -> A | None:
        """Return an aggregate, or None. Once it was asked for as `guarded`, it stays so."""
        key = (kind, f"{programme}/{id}")
        known = key in self._held
        # This holds a new one as guarded, so `known` tells whether an earlier call asked for that.
        await self.load(kind, programme, [id])
        held = self._held.get(key)
        if held is None or held.removed:
            return None
        held.guarded = guarded or (known and held.guarded)
        return cast("A", held.aggregate)

    async def several(self, kind: type[A], programme: str, ids: Sequence[str]) -> list[A]:
        """Return those of these aggregates that exist, in this order, not guarded unless they are already; fetched in one query."""
        before = {each for each in ids if (kind, f"{programme}/{each}") in self._held}
        await self.load(kind, programme, ids)
        found = [held for each in ids if (held := self._held.get((kind, f"{programme}/{each}"))) is not None]
        for held in found:
            held.guarded = held.guarded and held.aggregate.id in before
        return [cast("A", held.aggregate) for held in found if not held.removed]

    async def query(self, kind: type[A], programme: str, fields: Document, *, guarded: bool) -> list[A]:
        """Return every aggregate with these fields, by id, as this transaction sees them: with what it added and changed itself."""
        where = state_query(programme, fields)
        # The server finds what is stored. What this transaction added or changed is in memory until `flush`.
        async for document in self._store[kind.noun].find(where, session=self._transaction):
            self._hold(kind, document, guarded=guarded)
        found = [
            held
            for (held_kind, _), held in self._held.items()
            if held_kind is kind and held.read.programme == programme and not held.removed
            and matches(held.aggregate, fields)
        ]  # fmt: skip
        for held in found:
            held.guarded = guarded or held.guarded
        # A UUIDv7 begins with its time, so the oldest comes first.
        return sorted((cast("A", held.aggregate) for held in found), key=lambda each: each.id)

    async def across(self, kind: type[A]) -> list[A]:
        """Return the aggregates of every programme, guarded."""
        async for document in self._store[kind.noun].find({}, session=self._transaction):
            self._hold(kind, document, guarded=True)
        found = [held for (held_kind, _), held in self._held.items() if held_kind is kind and not held.removed]
        for held in found:
            held.guarded = True
        return [cast("A", held.aggregate) for held in found]

    def _hold(self, kind: type[Aggregate], document: Document, *, guarded: bool) -> None:
        if (kind, document["_id"]) not in self._held:
            read = AggregateDocument.of(document)
            aggregate = kind.model_validate(read.state)
            # One list for all aggregates, so that events keep their order across them.
            aggregate.record_into(self._events)
            self._held[kind, read.id] = HeldAggregate(aggregate, read, guarded)

    def add(self, aggregate: Aggregate, programme: str) -> None:
        """Hold a new one. Refused("already-there") when this transaction holds one of that id."""
        key = (type(aggregate), f"{programme}/{aggregate.id}")
        if key in self._held:
            raise Refused("already-there", f"There is a {aggregate.noun} {aggregate.id} already.")
        aggregate.record_into(self._events)
        self._held[key] = HeldAggregate.new(aggregate, programme)

    def remove(self, aggregate: Aggregate, programme: str) -> None:
        """Delete an aggregate that this transaction holds."""
        self._held[type(aggregate), f"{programme}/{aggregate.id}"].removed = True

    def version(self, aggregate: Aggregate, programme: str) -> int:
        """Return the version at which it was read (0: new)."""
        return self._held[type(aggregate), f"{programme}/{aggregate.id}"].version

    def is_untouched(self, keys: Collection[AggregateKey]) -> bool:
        """Return True when no event waits for `attribute`, and none of these aggregates has changed."""
        held = (self._held[key] for key in keys if key in self._held)
        return not self._events and all(not each.removed and each.unchanged() for each in held)

    def attribute(self, cause: Cause) -> None:
        """Attribute to this cause what was recorded since the last call."""
        self._attributed.extend(AttributedEvent(recorded, cause) for recorded in self._events)
        self._events.clear()

    @property
    def people(self) -> frozenset[str]:
        """The persons whom the attributed events are about."""
        return frozenset(each.concerns for each in self._attributed if each.concerns is not None)

    def publish_table(self, topic: Topic, by: Aggregate, value: bytes | None, cause: Cause) -> None:
        """Publish the newest record of a subject on a compacted topic; None is a tombstone."""
        self._tables.append(TableRecord(topic.name, by, value, cause))

    async def newest_table_row(self, topic: Topic, programme: str, subject: str) -> OutboxRow | None:
        """Return the newest stored row of a subject on a compacted topic."""
        where = {"programme": programme, "topic": topic.name, "key": subject, "sequence": {"$gt": 0}}
        found = self._store[OutboxRow.collection].find(where, session=self._transaction).sort("sequence", -1).limit(1)
        return next((OutboxRow.of(each) for each in await found.to_list(1)), None)

    async def withdraw_tables(self, topics: Sequence[Topic], by: Aggregate, cause: Cause) -> None:
        """Delete a subject's rows of compacted topics from the outbox, and publish tombstones."""
        rows = {"programme": cause.programme, "key": by.id, "topic": {"$in": [topic.name for topic in topics]}}
        # The outbox keeps all rows for a refill of the bus. A wrapped key in it would outlive the erasure.
        await self.write(OutboxRow.collection, [DeleteMany(rows)])
        for topic in topics:
            self.publish_table(topic, by, None, cause)

    async def forget(self, programme: str, person: str) -> None:
        """Destroy this service's copies of the person's key, contact card and consents, and remember for ever that the person was
        erased."""
        await self.fence.give()
        self.erased.forget()
        # Otherwise a later event of this transaction would still open with the key.
        self.keys.drop(programme, person)
        self.consents.drop(programme, person)
        await self._store.write_all(erasure(programme, person, self.now), self._transaction)

    async def by_id(self, collection: str, ids: Sequence[str]) -> dict[str, Document]:
        """Find documents by id within the transaction."""
        return await self._store.by_id(collection, ids, self._transaction)

    async def write(self, collection: str, writes: Sequence[Any]) -> None:
        """Write to a collection at once, within the transaction."""
        await self._store.write(collection, writes, self._transaction)

    def write_last(self, writes: Mapping[str, Sequence[Any]]) -> None:
        """Write to several collections right before the commit."""
        self._store.write_last(writes, self._transaction)

    async def flush(self, silently: bool = False) -> int:
        """Write everything right before the commit, which raises Conflict; return the number of events. Raises Refused or SilentChange.

        `silently`: a reaction may keep what another service published without an event of its own."""
        # Rows before aggregates: making a row raises the counter that its aggregate's document stores.
        new = await self._new_events()
        rows = [await self._event_row(each) for each in new]
        rows += [table_row(each, self._next_sequence(each.topic, each.by, each.cause)) for each in self._tables]
        writes, expected = self._aggregate_writes(silently)
        taken = self._sent_before.writes()
        outbox = [row.insert() for row in rows]
        writes |= {OutboxRow.collection: outbox, RecalledSubject.collection: taken}
        guards = {Consents.collection: self.consents.writes(), StoredKey.collection: self.keys.guards()}

        def check(matched: dict[str, int]) -> None:
            # A write that matched nothing named a version that another transaction has replaced. Guards name no version.
            if sum(matched[name] for name in writes) != expected + len(taken):
                raise Conflict("an aggregate changed since it was read")

        self._store.write_last(writes | guards, self._transaction, check)
        return len(new)

    async def _new_events(self) -> list[AttributedEvent]:
        """Return the events to send: all, but for those that a reaction had recorded before its database was restored."""
        # One query for all keys, before the rows are made one by one.
        people = ((each.cause.programme, each.person) for each in self._attributed)
        await self.keys.load((programme, person) for programme, person in people if person is not None)
        if not self.was_restored:
            return self._attributed
        events = ((each.data.topic, each.recorded.by, each.cause) for each in self._attributed)
        tables = ((each.topic, each.by, each.cause) for each in self._tables)
        await self._sent_before.load(
            self._store, {_subject(*each) for each in chain(events, tables)}, self._transaction
        )
        return [each for each in self._attributed if not self._was_sent(each)]

    def _was_sent(self, event: AttributedEvent) -> bool:
        if event.cause.causation is None:  # of a command, which is never run again
            return False
        # An encrypted payload never looks the same twice, so subject and type must do.
        data = "" if isinstance(event.data, Restricted) else event.data.model_dump(mode="json")
        return self._sent_before.take(_subject(event.data.topic, event.recorded.by, event.cause), event.data.type, data)

    async def _event_row(self, event: AttributedEvent) -> OutboxRow:
        sequence = self._next_sequence(event.data.topic, event.recorded.by, event.cause)
        if event.person is None:
            return event_row(event, event.data, sequence, self.now)
        key = await self.keys.get(event.cause.programme, event.person)
        payload = vault.encrypt_payload(key, event.person, event.data.model_dump_json().encode())
        return event_row(event, payload, sequence, self.now)

    def _next_sequence(self, topic: str, by: Aggregate, cause: Cause) -> int:
        held = self._held[type(by), f"{cause.programme}/{by.id}"]
        return held.next_sequence(topic, self._sent_before.last_sequence(_subject(topic, by, cause)))

    def _aggregate_writes(self, silently: bool) -> tuple[dict[str, list[Any]], int]:
        """Return the writes by collection, and how many documents they have to match."""
        recorded = {id(each.recorded.by) for each in self._attributed}
        writes: dict[str, list[Any]] = {}
        expected = 0
        for (kind, _), held in self._held.items():
            if held.guarded or not held.unchanged():
                write = held.write(recorded=id(held.aggregate) in recorded, silently=silently)
                writes.setdefault(kind.noun, []).append(write)
                expected += held.matches_on_write
        return writes, expected


def _subject(topic: str, by: Aggregate, cause: Cause) -> SubjectKey:
    return cause.programme, topic, by.id
