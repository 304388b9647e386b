"""The reads of people's data on behalf of one caller, and the notes about them in people's logs of accesses.

Invariants: each person is noted once for each purpose, however much of them was read, and all in one bulk write. A note conflicts with
the erasure of its person, so that none stays behind. Nothing is noted about an erased person.
"""

from dataclasses import dataclass
from datetime import datetime

from services.kernel import new_id
from services.store.mongo import Store, Transaction, UpdateMany
from services.store.people import Access, ErasedPerson, StoredKey


@dataclass(frozen=True, slots=True)
class Caller:
    """The person or system on whose behalf something is read: the subject of the token, and its role."""

    who: str
    role: str
    name: str = ""  # the one that the header of the site shows, if the token gives it


class Accesses:
    """The people of one programme whose data was read for a caller, with the purpose of each read.

    It belongs to no transaction: a refusal tells what it was derived from, though its transaction is aborted."""

    def __init__(self, caller: Caller, programme: str) -> None:
        self.caller, self._programme = caller, programme
        self._noted: dict[tuple[str, str], None] = {}  # person and purpose, in the order of the reads

    def __bool__(self) -> bool:
        return bool(self._noted)

    def add(self, person: str, purpose: str) -> None:
        """Add a read, unless it is there."""
        self._noted[person, purpose] = None

    async def write(self, store: Store, transaction: Transaction, now: datetime) -> None:
        """Write the notes within the transaction."""
        ids = {person: f"{self._programme}/{person}" for person, _ in self._noted}
        erased = await store.by_id(ErasedPerson.collection, list(ids.values()), transaction)
        people = {person: id for person, id in ids.items() if id not in erased}
        # A counter, because MongoDB skips a write that changes nothing, and a skipped one conflicts with no erasure.
        guards = [UpdateMany({"_id": {"$in": list(people.values())}}, {"$inc": {"guard": 1}})]
        notes = [self._note(person, purpose, now).insert() for person, purpose in self._noted if person in people]
        if notes:
            await store.write_all({StoredKey.collection: guards, Access.collection: notes}, transaction)

    def _note(self, person: str, purpose: str, now: datetime) -> Access:
        return Access(new_id(), self._programme, person, self.caller.who, self.caller.role, purpose, now)
