"""The collections of a service and their indexes, made before anything runs.

Invariant: every unique index, `_id` included, begins with the programme wherever a document belongs to one.
"""

from collections.abc import Sequence

from services.kernel import Aggregate
from services.settings import Misconfigured
from services.store.answers import REMEMBERED, Answer
from services.store.consents import Consents
from services.store.fence import ASSIGNMENTS
from services.store.indexes import IndexModel, ascending, at_once, make_indexes
from services.store.mongo import Store
from services.store.outbox import OutboxRow
from services.store.people import Access, ContactCard, ErasedPerson, StoredKey
from services.store.programmes import PublishedProgramme
from services.store.restored import RecalledSubject, RestoreState, check_restored

OWN = (
    Access, Answer, Consents, ContactCard, ErasedPerson, OutboxRow, PublishedProgramme, RecalledSubject, RestoreState, StoredKey,
)  # fmt: skip
COLLECTIONS = (
    *(kind.collection for kind in OWN),
    ASSIGNMENTS, "dead", "dismissed", "levels", "marks", "offsets", "parked", "projections", "relay", "topics",
)  # fmt: skip

# Even after a mistake in a rule, no two events share a sequence of a subject. (Dead letters have no sequence.)
SEQUENCE = [("programme", 1), ("topic", 1), ("key", 1), ("sequence", 1)]


async def prepare(store: Store, aggregates: Sequence[type[Aggregate]]) -> None:
    """Make what is missing; can be run again, and by several copies at once.

    Misconfigured when the database is half restored, or its documents have short field names.
    """
    # First: nothing may be made in a database that is half restored.
    await check_restored(store)
    await _check_names(store)
    # Before anything runs, since a transaction that creates a collection conflicts with its neighbours.
    there = set(await store.db.list_collection_names())
    missing = {*COLLECTIONS, *(kind.noun for kind in aggregates)} - there
    await at_once(store.make(name) for name in missing)
    await make_indexes(store, _own_indexes() | _inbox_indexes() | _indexes_of(aggregates))
    # Answers of older versions have a digest without a key, and name nobody: no erasure would find them.
    await store[Answer.collection].delete_many({"about": {"$exists": False}})


async def _check_names(store: Store) -> None:
    """Refuse documents of before the release, whose fields had short names: they would be read as if there were none."""
    for name, short in ((OutboxRow.collection, "seq"), ("marks", "k")):
        found = await store[name].find_one({}, {short: 1})
        if found is not None and short in found:
            raise Misconfigured(
                f"{store.name} has documents with short field names, which this version does not read: use an empty database."
            )


def _own_indexes() -> dict[str, list[IndexModel]]:
    # The relay's scans sort by sequence and `_id`.
    unique = IndexModel(SEQUENCE, unique=True, partialFilterExpression={"sequence": {"$gt": 0}})
    expiring = IndexModel([("at", 1)], expireAfterSeconds=int(REMEMBERED.total_seconds()))
    return {
        OutboxRow.collection: [ascending("sequence", "_id"), unique],
        Access.collection: [ascending("programme", "person")],
        Consents.collection: [ascending("programme")],
        # An erasure finds answers by the person.
        Answer.collection: [expiring, ascending("programme", "about")],
    }


def _inbox_indexes() -> dict[str, list[IndexModel]]:
    return {
        # A consumer asks for due events up to ten times a second.
        "parked": [ascending("consumer", "subject_key"), ascending("consumer", "status", "retry")],
        # The removal of a generation deletes the marks of its consumer.
        "marks": [ascending("consumer")],
        "dead": [ascending("consumer", "status"), ascending("consumer", "subject_key")],
        "dismissed": [ascending("consumer")],
    }


def _indexes_of(aggregates: Sequence[type[Aggregate]]) -> dict[str, list[IndexModel]]:
    return {
        kind.noun: [ascending("programme", *(f"state.{field}" for field in fields)) for fields in kind.indexes]
        for kind in aggregates
    }
