"""The documents that a service keeps about each person: the key, the contact card, who read their data, and the erasure.

Invariant: an erased person has an entry in `erased` for ever, and nothing in the other collections, that of the consents included. The
id of a key, a card and an erasure is `{programme}/{person}`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from services.kernel import NotYet, Refusal, Refused
from services.store.answers import Answer
from services.store.consents import Consents
from services.store.documents import StoredDocument
from services.store.mongo import DeleteMany, Store, Transaction, UpdateOne
from services.store.register import ERASED, ErasedRegister
from services.vault.keyring import KeyHolder


class Erased(Refused):
    """The person's key was destroyed. No data of the person can be read or written any more."""

    def __init__(self, person: str) -> None:
        super().__init__("erased", f"Person {person} was erased.", Refusal.GONE)


@dataclass(frozen=True, slots=True)
class StoredKey(StoredDocument):
    """A person's key. Enrolment has it `wrapped` by its master key; another service has the `value` of the newest record of the keys
    topic, by `sequence`."""

    collection: ClassVar[str] = "keys"
    omitted: ClassVar[frozenset[str]] = frozenset({"wrapped", "sequence", "value"})

    programme: str
    wrapped: str | None = None
    sequence: int | None = None
    value: bytes | None = None

    @property
    def person(self) -> str:
        """The id of the person, without the programme."""
        return self.id.partition("/")[2]


@dataclass(frozen=True, slots=True)
class ContactCard(StoredDocument):
    """A person's contact card, encrypted under the person's key; `value` None after a withdrawal of the consent."""

    collection: ClassVar[str] = "contacts"

    programme: str
    sequence: int
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Access(StoredDocument):
    """A note that somebody read a person's data."""

    collection: ClassVar[str] = "access"

    programme: str
    person: str
    who: str
    role: str
    what: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ErasedPerson(StoredDocument):
    """An entry in the register of the erased, with the time at which this service first heard of it. `done`: the time at which nothing
    of the person was left in this service; None until then."""

    collection: ClassVar[str] = ERASED
    omitted: ClassVar[frozenset[str]] = frozenset({"done"})

    programme: str
    at: datetime
    done: datetime | None = None

    def add(self) -> UpdateOne:
        """Return the write that adds the entry, unless it exists."""
        document = self.document()
        return UpdateOne({"_id": document.pop("_id")}, {"$setOnInsert": document}, upsert=True)

    @classmethod
    def finish(cls, programme: str, person: str, now: datetime) -> UpdateOne:
        """Return the write that notes that nothing of the person is left in this service."""
        return UpdateOne({"_id": f"{programme}/{person}"}, {"$set": {"done": now}})


def erasure(programme: str, person: str, now: datetime) -> dict[str, list[Any]]:
    """Return the writes, by collection, that destroy a service's copies of a person's key, card, consents and accesses, empty the kept
    answers that concern them, and note the erasure."""
    _id = f"{programme}/{person}"
    return {
        StoredKey.collection: [DeleteMany({"_id": _id})],
        Consents.collection: [DeleteMany({"_id": _id})],
        ContactCard.collection: [DeleteMany({"_id": _id})],
        Access.collection: [DeleteMany({"programme": programme, "person": person})],
        Answer.collection: [Answer.forget(programme, person)],
        ErasedPerson.collection: [ErasedPerson(_id, programme, now).add()],
    }


async def known(store: Store, programme: str, person: str, transaction: Transaction | None = None) -> bool:
    """Tell if this service has heard of the person: it has their key, or has erased them."""
    id = f"{programme}/{person}"
    for collection in (StoredKey.collection, ErasedPerson.collection):
        if await store.by_id(collection, [id], transaction):
            return True
    return False


class PersonKeys:
    """The keys of persons that one transaction has opened. They stay in memory for as long as the transaction."""

    def __init__(self, store: Store, transaction: Transaction, holder: KeyHolder, erased: ErasedRegister) -> None:
        self._store, self._transaction, self._holder, self._erased = store, transaction, holder, erased
        self._opened: dict[str, bytes] = {}
        self._guarded: set[str] = set()

    async def get(self, programme: str, person: str) -> bytes:
        """Return the person's key. Raises Erased, or NotYet when the key has not arrived."""
        await self.load([(programme, person)])
        if person not in self._opened:
            # Asked only here, since an erased person has no key: one query less for everybody else.
            if await self._erased.among([f"{programme}/{person}"]):
                raise Erased(person)
            raise NotYet(f"the key of person {person}")
        return self._opened[person]

    async def load(self, people: Iterable[tuple[str, str]]) -> None:
        """Open those keys of these (programme, person) that are stored, in one query."""
        wanted = [f"{programme}/{person}" for programme, person in set(people) if person not in self._opened]
        found = await self._store.by_id(StoredKey.collection, wanted, self._transaction)
        for key in map(StoredKey.of, found.values()):
            self._opened[key.person] = self._holder.open(key.person, key)

    async def make(self, programme: str, person: str) -> bytes:
        """Make and store a key (enrolment alone can, any other gets TypeError). Return it wrapped for the services that may read it."""
        made = self._holder.make(person)
        self._opened[person] = made.key
        stored = StoredKey(f"{programme}/{person}", programme, wrapped=made.wrapped)
        await self._store.write(StoredKey.collection, [stored.insert()], self._transaction)
        return made.published

    def fiscal_digest(self, programme: str, code: str) -> str:
        """Return the digest of a tax code. TypeError in any service but enrolment."""
        return self._holder.fiscal_digest(programme, code)

    async def guard(self, programme: str, person: str) -> bool:
        """Let this transaction conflict with the person's erasure, which deletes the key. False: the person was erased."""
        await self.load([(programme, person)])
        if person in self._opened:
            self._guarded.add(f"{programme}/{person}")
            return True
        return not await self._erased.among([f"{programme}/{person}"])

    def guards(self) -> list[UpdateOne]:
        """Return the writes that make the transaction conflict. A counter, because MongoDB skips a write that changes nothing."""
        return [UpdateOne({"_id": each}, {"$inc": {"guard": 1}}) for each in sorted(self._guarded)]

    def drop(self, programme: str, person: str) -> None:
        """Forget an opened key."""
        self._opened.pop(person, None)
        self._guarded.discard(f"{programme}/{person}")
