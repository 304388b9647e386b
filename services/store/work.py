"""The aggregates, the clock and the keys of one programme, as a handler sees them inside a transaction.

Invariant: a handler reads and changes aggregates and calls no engine itself. The boundary commits once, after the handler returned.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from services import vault
from services.contracts import Topic
from services.contracts.enrolment import Purpose
from services.contracts.topics import CONTACTS, KEYS
from services.kernel import Aggregate, Refusal, Refused
from services.programmes import Programme
from services.store.accesses import Accesses, Caller
from services.store.consents import Consents
from services.store.outbox import Cause
from services.store.unit import AggregateKey, Unit
from services.telemetry import Telemetry

A = TypeVar("A", bound=Aggregate)


class Work:
    """One programme's view of a `Unit`, for one command or one event."""

    def __init__(
        self, unit: Unit, rules: Programme, cause: Cause, accesses: Accesses | None = None, purpose: str = ""
    ) -> None:
        """`accesses` takes the reads of people's data, for this purpose unless `reads_for` names another; None for a consumer, which
        shows nothing to anybody."""
        self._unit, self.rules, self.cause = unit, rules, cause
        self._accesses, self._purpose = accesses, purpose
        self.programme = cause.programme
        self._given: set[AggregateKey] = set()

    @property
    def now(self) -> datetime:
        """The time at which this is written down (UTC)."""
        return self._unit.now

    @property
    def at(self) -> datetime:
        """The time at which it happened in the world (UTC); never later than `now`."""
        return self.cause.at

    @property
    def caller(self) -> Caller | None:
        """The one for whom this is done; None when it is the service itself."""
        return self._accesses.caller if self._accesses is not None else None

    @property
    def was_restored(self) -> bool:
        """True when the database was restored, so that what happens now may have happened before."""
        return self._unit.was_restored

    async def get(self, kind: type[A], id: str) -> A:
        """Return the aggregate, guarded. Refused("no-such-{noun}", NOT_FOUND) when there is none."""
        found = await self.find(kind, id)
        if found is None:
            raise Refused(f"no-such-{kind.noun}", f"There is no {kind.noun} {id}.", Refusal.NOT_FOUND)
        return found

    async def find(self, kind: type[A], id: str) -> A | None:
        """Return the aggregate, guarded, or None."""
        self._note(kind, id)
        return await self._unit.get(kind, self.programme, id, guarded=True)

    async def peek(self, kind: type[A], id: str) -> A | None:
        """Return the aggregate, not guarded, or None: for a read that no decision rests on."""
        self._note(kind, id)
        return await self._unit.get(kind, self.programme, id, guarded=False)

    async def several(self, kind: type[A], ids: Sequence[str]) -> list[A]:
        """Return those of these that exist, in their order, in one query; not guarded: for a read that no decision rests on."""
        return await self.peek_all(kind, ids)

    async def peek_all(self, kind: type[A], ids: Sequence[str]) -> list[A]:
        """Return those of these aggregates that exist, in this order, not guarded; fetched in one query."""
        for each in ids:
            self._note(kind, each)
        return await self._unit.several(kind, self.programme, ids)

    async def where(self, kind: type[A], **fields: Any) -> list[A]:
        """Return all with these field values, guarded, oldest first. `a__b` means field b of a; a list means any of its values."""
        return await self._query(kind, fields, guarded=True)

    async def browse(self, kind: type[A], **fields: Any) -> list[A]:
        """Return the same as `where`, not guarded: for a read that no decision rests on."""
        return await self._query(kind, fields, guarded=False)

    async def across(self, kind: type[A]) -> list[A]:
        """Return the aggregates of every programme, guarded: for a judgement on what one programme alone may have."""
        return await self._unit.across(kind)

    async def _query(self, kind: type[A], fields: dict[str, Any], *, guarded: bool) -> list[A]:
        found = await self._unit.query(kind, self.programme, fields, guarded=guarded)
        for each in found:
            self._note(kind, each.id)
        return found

    def _note(self, kind: type[Aggregate], id: str) -> None:
        self._given.add((kind, f"{self.programme}/{id}"))

    @property
    def untouched(self) -> bool:
        """True when no aggregate that this work gave out has to be written: then the event can be left as if nothing had begun."""
        return self._unit.is_untouched(self._given)

    def add(self, aggregate: Aggregate) -> None:
        """Store a new one. Refused("already-there") when its id is taken."""
        self._note(type(aggregate), aggregate.id)
        self._unit.add(aggregate, self.programme)

    def remove(self, aggregate: Aggregate) -> None:
        """Delete the aggregate with its state, for an erasure."""
        self._unit.remove(aggregate, self.programme)

    def version(self, aggregate: Aggregate) -> int:
        """Return the version at which it was read (0: new)."""
        return self._unit.version(aggregate, self.programme)

    async def knows(self, person: str) -> bool:
        """Tell if this service has heard of the person."""
        return await self._unit.knows(self.programme, person)

    async def consents(self, person: str) -> Consents:
        """Return the person's consents as the gate knows them, guarded."""
        return await self._unit.consents.get(self.programme, person, guarded=True)

    async def consents_to(self, person: str, purpose: Purpose) -> bool | None:
        """Tell whether the person consents to this purpose and to participate, guarded; None while one is unknown."""
        return (await self.consents(person)).allow(purpose)

    async def refusing(self, people: Collection[str], purpose: Purpose, *, guarded: bool = True) -> set[str]:
        """Return those of these people who refused this purpose or to participate; fetched in one query."""
        await self._unit.consents.load((self.programme, each) for each in people)
        found = [await self._unit.consents.get(self.programme, each, guarded=guarded) for each in people]
        return {person for person, each in zip(people, found, strict=True) if each.allow(purpose) is False}

    async def peek_consents(self, person: str) -> Consents:
        """Return the same as `consents`, not guarded: for a read that decides on no change."""
        return await self._unit.consents.get(self.programme, person, guarded=False)

    def reads_for(self, purpose: str) -> None:
        """Name the purpose of the reads from here on, as the log of accesses shows it. Without it, the name of the handler counts."""
        self._purpose = purpose

    def note_access(self, *people: str) -> None:
        """Note that the caller reads data of these people. It is written before the caller is answered, also when that is a refusal.
        `unseal` notes by itself; call this for data that is not sealed."""
        if self._accesses is not None:
            for person in people:
                self._accesses.add(person, self._purpose)

    def follow(self, traceparent: str | None) -> None:
        """Continue another trace with the events of this work, and link the present trace to it: one trace for one person's way."""
        if traceparent is not None:
            self.cause = replace(self.cause, traceparent=traceparent)
            self.link([traceparent])

    def link(self, traceparents: Iterable[str]) -> None:
        """Link the trace of this work to the traces that led to it."""
        Telemetry.link(sorted(set(traceparents)))

    def publish_table(self, topic: Topic, by: Aggregate, value: bytes | None) -> None:
        """Publish the newest record of this aggregate on a compacted topic; None is a tombstone."""
        self._unit.publish_table(topic, by, value, self.cause)

    async def published(self, topic: Topic, by: Aggregate) -> bytes | None:
        """Return what this aggregate published last on a compacted topic; None when it was nothing, or a tombstone."""
        newest = await self._unit.newest_table_row(topic, self.programme, by.id)
        return newest.value if newest else None

    async def key(self, person: str) -> bytes:
        """Return the person's key. Erased (GONE), or NotYet when it has not reached this service."""
        return await self._unit.keys.get(self.programme, person)

    async def fetch_keys(self, people: Iterable[str]) -> None:
        """Fetch the keys of these people in one query, for many `unseal`s that follow."""
        await self._unit.keys.load((self.programme, each) for each in people)

    async def seal(self, person: str, field: str, text: str, *, padded: bool = True) -> str:
        """Encrypt a field of a person. Only a service that holds the person's key can read it, and no one after the erasure.
        `padded=False`: for a text of constant length that is sealed once more."""
        key = await self.key(person)
        # What is sealed is stored: it must not be added beside an erasure that does not see it.
        await self._unit.keys.guard(self.programme, person)
        return vault.seal(key, person, field, text, padded=padded)

    async def unseal(self, person: str, field: str, sealed: str, *, told: bool = True) -> str:
        """Decrypt what `seal` returned, and note the access. `told=False`: no answer to the caller depends on it."""
        if told:
            self.note_access(person)
        return vault.open_sealed(await self.key(person), person, field, sealed)

    async def open_keys(self, people: Iterable[str]) -> None:
        """Fetch the keys of these people in one query, for `unseal`. Whoever has none is left out."""
        await self._unit.keys.load((self.programme, each) for each in people)

    def fiscal_digest(self, code: str) -> str:
        """Return the keyed digest by which this tax code is found again in this programme. Enrolment alone can."""
        return self._unit.keys.fiscal_digest(self.programme, code)

    async def new_key(self, by: Aggregate) -> None:
        """Make the key of the person that `by` stands for, and publish it for the services that may read it. Enrolment alone can."""
        self.publish_table(KEYS, by, await self._unit.keys.make(self.programme, by.id))

    async def destroy_key(self, by: Aggregate) -> None:
        """Erase the person that `by` stands for: destroy the key here and in the outbox, publish tombstones, note the erasure."""
        await self._unit.forget(self.programme, by.id)
        await self._unit.withdraw_tables((KEYS, CONTACTS), by, self.cause)
