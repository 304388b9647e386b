"""A restored database, and the events that its service had sent since the backup: no sequence is given twice, no event is sent twice.

Kept per topic and subject in `recalled`: the last sequence that is on the bus, and the events that other events had caused. When such an
event is consumed again and causes the same (type, subject, payload), the effect is on the bus already, and is not sent again. What a
command records is always new. Invariant: without a restore, nothing here asks the database after the start.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

import orjson

from services.settings import Misconfigured
from services.store.consents import Decision
from services.store.documents import StoredDocument
from services.store.mongo import Document, Store, Transaction, UpdateOne

STATE = "state"
SubjectKey = tuple[str, str, str]  # programme, topic, subject


@dataclass(frozen=True, slots=True)
class RestoreState(StoredDocument):
    """The one document of `restored`. `whole`: everything of the backup was put back. `backup`: the time of the backup.
    `erasures`: those that the aggregates do not show yet (`person` as `programme/person`; `event`: the record, where it is known).
    `refusals`: likewise (`person`, `refused`: the time by purpose). `closed`: likewise, the moment at which everything but
    participation counts as refused."""

    collection: ClassVar[str] = "restored"
    omitted: ClassVar[frozenset[str]] = frozenset({"backup", "closed"})

    whole: bool
    at: datetime | None = None  # of the restore; earlier versions did not note it
    backup: datetime | None = None
    erasures: list[Document] = field(default_factory=list)
    refusals: list[Document] = field(default_factory=list)
    closed: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecalledSubject(StoredDocument):
    """A subject of one topic after a restore. `sequence`: the last one on the bus. `caused`: events on the bus that other events had
    caused (id, type, digest of the payload). `lost`: events of commands whose change of state is lost (id, type, sequence, at)."""

    collection: ClassVar[str] = "recalled"

    programme: str
    topic: str
    subject: str
    sequence: int
    caused: list[Document] = field(default_factory=list)
    lost: list[Document] = field(default_factory=list)


async def check_restored(store: Store) -> None:
    """Find out, before a service starts, whether its database was restored. Misconfigured when it is half restored."""
    found = await store[RestoreState.collection].find_one({"_id": STATE})
    if found is not None and not RestoreState.of(found).whole:
        raise half_restored(store)
    store.was_restored = found is not None


def half_restored(store: Store) -> Misconfigured:
    """Build the error for a database to which a restore was not finished."""
    return Misconfigured(f"{store.name} is half restored: run `ama restore` again, with --replace.")


async def mark_whole(store: Store) -> None:
    """Note that the restore is complete: the service may start."""
    await store[RestoreState.collection].update_one({"_id": STATE}, {"$set": {"whole": True}})


def note_erasures(erasures: Mapping[str, bytes | None]) -> UpdateOne:
    """Return the write that notes erasures for the next start, each with its record where that is known."""
    noted = [{"person": person, "event": event} for person, event in sorted(erasures.items())]
    return UpdateOne({"_id": STATE}, {"$set": {"erasures": noted}})


def settle_erasure(person: str) -> UpdateOne:
    """Return the write that notes that the aggregates show this erasure."""
    return UpdateOne({"_id": STATE}, {"$pull": {"erasures": {"person": person}}})


def note_refusals(refusals: Mapping[str, Collection[Decision]], closed: datetime | None) -> UpdateOne:
    """Return the write that notes refusals for the next start. Of each purpose the last one counts."""
    noted = [
        {"person": person, "refused": {each.purpose.value: each.at for each in sorted(some, key=lambda one: one.at)}}
        for person, some in sorted(refusals.items())
    ]
    return UpdateOne({"_id": STATE}, {"$set": {"refusals": noted} | ({"closed": closed} if closed else {})})


def settle_refusals() -> UpdateOne:
    """Return the write that notes that the aggregates show all refusals."""
    return UpdateOne({"_id": STATE}, {"$set": {"refusals": []}, "$unset": {"closed": ""}})


def digest_of(data: Any) -> str | None:
    """Return the digest by which two payloads are the same; None for an encrypted one, which never looks the same twice."""
    return (
        # Sorted, so that the order of the fields in a record does not matter.
        None if isinstance(data, str) else hashlib.sha256(orjson.dumps(data, option=orjson.OPT_SORT_KEYS)).hexdigest()
    )


def note_subject(
    subject: SubjectKey, sequence: int, caused: Collection[Document], lost: Collection[Document]
) -> UpdateOne:
    """Return the write that adds to a `RecalledSubject`, or makes it. The parameters are its fields."""
    # A restore notes a subject batch by batch: the highest sequence counts, and lists grow.
    change: Document = {
        "$max": {"sequence": sequence},
        "$setOnInsert": {"programme": subject[0], "topic": subject[1], "subject": subject[2]},
    }
    pushed = {name: {"$each": list(some)} for name, some in (("caused", caused), ("lost", lost)) if some}
    return UpdateOne({"_id": _id(subject)}, change | ({"$push": pushed} if pushed else {}), upsert=True)


def _id(subject: SubjectKey) -> str:
    return "/".join(subject)


@dataclass(slots=True)
class SentBefore:
    """The events that were sent before a restore, as far as one transaction needs them."""

    _subjects: dict[str, RecalledSubject] = field(default_factory=dict)
    _taken: list[tuple[str, str]] = field(default_factory=list)

    async def load(self, store: Store, subjects: Collection[SubjectKey], transaction: Transaction) -> None:
        """Fetch these subjects in one query. Not called for a database that was never restored."""
        found = await store.by_id(RecalledSubject.collection, sorted({_id(each) for each in subjects}), transaction)
        self._subjects = {id: RecalledSubject.of(each) for id, each in found.items()}

    def last_sequence(self, subject: SubjectKey) -> int:
        """Return the last sequence on the bus that this database does not know; 0 when there is none."""
        known = self._subjects.get(_id(subject)) if self._subjects else None
        return known.sequence if known else 0

    def take(self, subject: SubjectKey, type: str, data: Any) -> bool:
        """Find an event that was sent before. Each one is found once, so that equal events are counted."""
        known, digest = self._subjects.get(_id(subject)), digest_of(data)
        if known is None:
            return False
        for each in known.caused:
            if (each["type"], each["data"]) == (type, digest):
                known.caused.remove(each)
                self._taken.append((known.id, each["id"]))
                return True
        return False

    def writes(self) -> list[UpdateOne]:
        """Return the writes that remove what `take` has found."""
        return [UpdateOne({"_id": subject}, {"$pull": {"caused": {"id": id}}}) for subject, id in self._taken]
