"""The collections of a service and their indexes, made before anything runs.

Invariant: every unique index, `_id` included, begins with the programme wherever a document belongs to one.
"""

from collections.abc import Sequence

from services.kernel import Aggregate
from services.settings import Misconfigured
from services.store.answers import REMEMBERED, Answer
from services.store.consents import Consents
from services.store.fence import ASSIGNMENTS
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
    for name in {*COLLECTIONS, *(kind.noun for kind in aggregates)} - there:
        await store.make(name)
    await _index_own(store)
    await _index_inbox(store)
    for kind in aggregates:
        for fields in kind.indexes:
            await store[kind.noun].create_index([("programme", 1), *((f"state.{field}", 1) for field in fields)])


async def _check_names(store: Store) -> None:
    """Refuse documents of before the release, whose fields had short names: they would be read as if there were none."""
    for name, short in ((OutboxRow.collection, "seq"), ("marks", "k")):
        found = await store[name].find_one({}, {short: 1})
        if found is not None and short in found:
            raise Misconfigured(
                f"{store.name} has documents with short field names, which this version does not read: use an empty database."
            )


async def _index_own(store: Store) -> None:
    outbox = store[OutboxRow.collection]
    # The relay's scans sort by both.
    await outbox.create_index([("sequence", 1), ("_id", 1)])
    await outbox.create_index(SEQUENCE, unique=True, partialFilterExpression={"sequence": {"$gt": 0}})
    await store[Access.collection].create_index([("programme", 1), ("person", 1)])
    await store[Consents.collection].create_index([("programme", 1)])
    expiry = int(REMEMBERED.total_seconds())
    answers = store[Answer.collection]
    await answers.create_index([("at", 1)], expireAfterSeconds=expiry)
    # An erasure finds answers by the person.
    await answers.create_index([("programme", 1), ("about", 1)])
    # Answers of older versions have a digest without a key, and name nobody: no erasure would find them.
    await answers.delete_many({"about": {"$exists": False}})


async def _index_inbox(store: Store) -> None:
    await store["parked"].create_index([("consumer", 1), ("subject_key", 1)])
    # A consumer asks for due events up to ten times a second.
    await store["parked"].create_index([("consumer", 1), ("status", 1), ("retry", 1)])
    # The removal of a generation deletes the marks of its consumer.
    await store["marks"].create_index([("consumer", 1)])
    await store["dead"].create_index([("consumer", 1), ("status", 1)])
    await store["dead"].create_index([("consumer", 1), ("subject_key", 1)])
    await store["dismissed"].create_index([("consumer", 1)])
