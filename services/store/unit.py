"""One MongoDB transaction seen from inside: an identity map, what was said in it, and one flush that writes it all.

Invariants: every aggregate that was read is written, at least as a guard, so that two transactions that rest on the same reading
cannot both commit; a change that says nothing is refused; what was said gets its sequence per topic and subject in the order in
which it was said; a restricted payload never reaches a document unencrypted.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from services import vault
from services.contracts import Event, EventData, Restricted, encode, source_of
from services.contracts.envelope import schema_uri
from services.kernel import Aggregate, NotYet, RecordedEvent, Refusal, Refused, new_id
from services.store.errors import Conflict
from services.store.mongo import DeleteOne, Document, InsertOne, ReplaceOne, Session, Store, UpdateOne
from services.store.restored import Place, Recalled
from services.vault.keyring import KeyHolder

A = TypeVar("A", bound=Aggregate)
LARGEST = 256 * 1024  # bytes of one event; the bus would refuse it much later and stop the relay
EVENTS = [(b"content-type", b"application/cloudevents+json")]


class Erased(Refused):
    """The person's key is dead. Nothing can be read or written of them any more."""

    def __init__(self, person: str) -> None:
        super().__init__("erased", f"Person {person} was erased.", Refusal.GONE)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something is said: which request or event, in which trace, and when it happened in the world."""

    programme: str
    at: datetime
    correlation: str
    causation: str | None = None
    traceparent: str | None = None


@dataclass(slots=True)
class Held:
    """An aggregate, and what it was read from: `version` 0 is one that is not stored yet."""

    aggregate: Aggregate
    programme: str
    version: int
    sequences: dict[str, int]
    stored: Document
    removed: bool = False

    def unchanged(self) -> bool:
        """Whether it is as it was read. What is stored may lack a field that its class has by now."""
        if self.version == 0:
            return False
        state = self.aggregate.model_dump(mode="json")
        return state == self.stored or state == type(self.aggregate).model_validate(self.stored).model_dump(mode="json")


@dataclass(slots=True)
class Unit:
    """The state of one transaction. Built anew for every attempt; `flush` is called once, last."""

    store: Store
    session: Session
    holder: KeyHolder
    now: datetime
    held: dict[tuple[type[Aggregate], str], Held] = field(default_factory=dict)
    asked: set[tuple[type[Aggregate], str]] = field(default_factory=set)  # also those that a snapshot will never show
    voice: list[RecordedEvent] = field(default_factory=list)
    attributed: list[tuple[RecordedEvent, Cause]] = field(default_factory=list)
    records: list[tuple[str, Aggregate, bytes | None, Cause]] = field(default_factory=list)
    keys: dict[str, bytes] = field(default_factory=dict)
    peeked: set[tuple[type[Aggregate], str]] = field(default_factory=set)
    recalled: Recalled = field(default_factory=Recalled)

    async def load(self, kind: type[A], programme: str, ids: Iterable[str]) -> None:
        """Fetch those not asked for yet, in one query."""
        wanted = {key: None for each in ids if (key := (kind, f"{programme}/{each}")) not in self.asked}
        self.asked.update(wanted)
        for document in (await self.store.by_id(kind.noun, [_id for _, _id in wanted], self.session)).values():
            self._hold(kind, document)

    async def query(self, kind: type[A], programme: str, fields: Document) -> list[A]:
        """Every aggregate with these fields, by id: as this transaction sees them, what it added and changed included."""
        where = {
            "programme": programme,
            **{f"state.{name.replace('__', '.')}": _any_of(value) for name, value in fields.items()},
        }
        async for document in self.store[kind.noun].find(where, session=self.session):
            self._hold(kind, document)
        mine = [held for (held_kind, _), held in self.held.items() if held_kind is kind and held.programme == programme]
        found = [held.aggregate for held in mine if not held.removed and _matches(held.aggregate, fields)]
        return sorted((cast("A", each) for each in found), key=lambda each: each.id)

    def _hold(self, kind: type[Aggregate], document: Document) -> Held:
        known = self.held.get((kind, document["_id"]))
        if known is not None:
            return known
        aggregate = kind.model_validate(document["state"])
        aggregate.record_into(self.voice)
        held = Held(aggregate, document["programme"], document["version"], document["sequences"], document["state"])
        self.held[kind, document["_id"]] = held
        return held

    def add(self, aggregate: Aggregate, programme: str) -> None:
        """Hold a new one. Refused("already-there") when this transaction holds one of that id."""
        key = (type(aggregate), f"{programme}/{aggregate.id}")
        if key in self.held:
            raise Refused("already-there", f"There is a {aggregate.noun} {aggregate.id} already.")
        aggregate.record_into(self.voice)
        self.held[key] = Held(aggregate, programme, 0, {}, {})

    def attribute(self, cause: Cause) -> None:
        """What was said since the last call was said for this cause."""
        self.attributed.extend((said, cause) for said in self.voice)
        self.voice.clear()

    async def key(self, programme: str, person: str) -> bytes:
        """The person's key. Raises Erased, or NotYet when it has not arrived."""
        if person not in self.keys:
            await self.load_keys([(programme, person)])
        if person not in self.keys:
            if await self.store.by_id("erased", [f"{programme}/{person}"], self.session):
                raise Erased(person)
            raise NotYet(f"the key of person {person}")
        return self.keys[person]

    async def load_keys(self, people: Iterable[tuple[str, str]]) -> None:
        """Fetch the keys that are there of these (programme, person), in one query."""
        wanted = [f"{programme}/{person}" for programme, person in set(people) if person not in self.keys]
        for _id, kept in (await self.store.by_id("keys", wanted, self.session)).items():
            person = _id.partition("/")[2]
            self.keys[person] = self.holder.open(person, kept)

    async def flush(self, silently: bool = False) -> int:
        """Write everything; returns how many events were said. Raises Conflict, Refused or SilentChange.

        `silently`: a reaction may keep what somebody else published and say nothing of its own."""
        sealed = [(said, cause) for said, cause in self.attributed if isinstance(said.data, Restricted)]
        await self.load_keys((cause.programme, _person(said)) for said, cause in sealed)
        if self.store.recalls:
            await self.recalled.load(self.store, self._places(), self.session)
        new = [(said, cause) for said, cause in self.attributed if not self._was_said(said, cause)]
        letters = [await self._letter(said, cause) for said, cause in new]
        outbox = [InsertOne(each) for each in (*letters, *(self._record(*record) for record in self.records))]
        spoke = {id(said.by) for said, _ in self.attributed}
        by_kind: dict[str, list[Any]] = {}
        replaced = 0
        for (kind, _id), held in self.held.items():
            if (kind, _id) in self.peeked and held.unchanged():
                continue
            write = self._write(_id, held, id(held.aggregate) in spoke, silently)
            by_kind.setdefault(kind.noun, []).append(write)
            replaced += held.version > 0 and not held.removed
        recalled = self.recalled.writes()
        matched = await self.store.write_all({**by_kind, "outbox": outbox, "recalled": recalled}, self.session)
        if sum(matched.values()) != replaced + len(recalled):
            raise Conflict("an aggregate changed since it was read")
        return len(letters)

    def _places(self) -> set[Place]:
        said = {_place(cause, cast("EventData", said.data).topic, said.by) for said, cause in self.attributed}
        return said | {_place(cause, topic, by) for topic, by, _, cause in self.records}

    def _was_said(self, said: RecordedEvent, cause: Cause) -> bool:
        """Whether a reaction says what it had said before its database was restored. A command says something new."""
        if not self.store.recalls or cause.causation is None:
            return False
        data = cast("EventData", said.data)
        told = "" if isinstance(data, Restricted) else data.model_dump(mode="json")
        return self.recalled.knows(_place(cause, data.topic, said.by), data.type, told)

    def _write(self, _id: str, held: Held, spoke: bool, silently: bool) -> Any:
        if held.removed:
            return DeleteOne({"_id": _id, "version": held.version})
        if not spoke and held.unchanged():
            return UpdateOne({"_id": _id, "version": held.version}, {"$inc": {"guard": 1}})
        if not (spoke or silently):
            raise SilentChange(f"{type(held.aggregate).__name__} {held.aggregate.id} changed and said nothing")
        state = held.aggregate.model_dump(mode="json")
        document = {
            "_id": _id,
            "programme": held.programme,
            "version": held.version + 1,
            "sequences": held.sequences,
            "state": state,
        }
        return ReplaceOne({"_id": _id, "version": held.version}, document) if held.version else InsertOne(document)

    def _next(self, aggregate: Aggregate, topic: str, programme: str) -> int:
        held = self.held[type(aggregate), f"{programme}/{aggregate.id}"]
        last = max(held.sequences.get(topic, 0), self.recalled.last((programme, topic, aggregate.id)))
        held.sequences = {**held.sequences, topic: last + 1}
        return held.sequences[topic]

    async def _letter(self, said: RecordedEvent, cause: Cause) -> Document:
        data = cast("EventData", said.data)
        event: Event[Any] = Event(
            id=new_id(),
            source=source_of(cause.programme, data.topic),
            type=data.type,
            subject=said.by.id,
            time=(said.at or cause.at).astimezone(UTC),
            recordedtime=self.now,
            sequence=self._next(said.by, data.topic, cause.programme),
            data=await self._sealed(said, cause.programme) if isinstance(data, Restricted) else data,
            dataschema=schema_uri(type(data)),
            traceparent=cause.traceparent,
            correlationid=cause.correlation,
            causationid=cause.causation,
        )
        letter = _outgoing(event.id, cause.programme, data.topic, said.by.id, encode(event), EVENTS)
        return {**letter, "sequence": event.sequence}

    async def _sealed(self, said: RecordedEvent, programme: str) -> str:
        person = _person(said)
        return vault.encrypt_payload(await self.key(programme, person), person, said.data.model_dump_json().encode())

    def _record(self, topic: str, by: Aggregate, value: bytes | None, cause: Cause) -> Document:
        sequence = self._next(by, topic, cause.programme)
        headers = [
            (b"content-type", b"application/jose"),
            (b"sequence", str(sequence).encode()),
            (b"programme", cause.programme.encode()),
        ]
        return {**_outgoing(new_id(), cause.programme, topic, by.id, value, headers), "sequence": sequence}


class SilentChange(Exception):
    """A defect in a rule: state changed and nobody was told. Nothing is stored."""


def _place(cause: Cause, topic: str, by: Aggregate) -> Place:
    return cause.programme, topic, by.id


def _person(said: RecordedEvent) -> str:
    """Whom a restricted payload is about."""
    field = str(cast("Restricted", said.data).person)
    return said.by.id if field == "subject" else str(getattr(said.data, field))


def _matches(aggregate: Aggregate, fields: Document) -> bool:
    """As MongoDB would say: a field of a list of parts matches when any part's does."""
    for name, wanted in fields.items():
        found: list[Any] = [aggregate]
        for step in name.split("__"):
            deeper = [getattr(each, step) for each in found]
            found = [
                part
                for each in deeper
                for part in (each if isinstance(each, list | tuple | set | frozenset) else [each])
            ]
        if not any(each in wanted if isinstance(wanted, list | set | frozenset) else each == wanted for each in found):
            return False
    return True


def _any_of(value: Any) -> Any:
    return {"$in": sorted(value)} if isinstance(value, list | set | frozenset) else value


def _outgoing(
    _id: str, programme: str, topic: str, key: str, value: bytes | None, headers: list[tuple[bytes, bytes]]
) -> Document:
    if value is not None and len(value) > LARGEST:
        raise Refused(
            "event-too-large", f"The event would have {len(value)} bytes; {LARGEST} is the most.", Refusal.TOO_LARGE
        )
    return {
        "_id": _id,
        "programme": programme,
        "topic": topic,
        "key": key,
        "value": value,
        "headers": [[name.decode(), text] for name, text in headers],
    }
