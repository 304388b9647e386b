"""The collections of a service and their indexes, made before anything runs (a transaction that makes one conflicts with its neighbours).

Invariant: every unique index, `_id` included, begins with the programme wherever a document belongs to one.
"""

from collections.abc import Sequence

from services.kernel import Aggregate
from services.store import restored
from services.store.commands import REMEMBERED
from services.store.mongo import Store

COLLECTIONS = (
    "access", "answers", "contacts", "dead", "dismissed", "erased", "keys", "levels", "marks", "offsets", "outbox", "parked",
    "projections", "recalled", "relay", "restored", "topics",
)  # fmt: skip

# Whatever a rule overlooked, no two things are said at one sequence of a subject. (Dead letters have no sequence.)
SPOKEN = [("programme", 1), ("topic", 1), ("key", 1), ("sequence", 1)]


async def prepare(store: Store, aggregates: Sequence[type[Aggregate]]) -> None:
    """Make what is missing; can be run again, and by several copies at once. Misconfigured when the database is half restored."""
    await restored.look(store)
    there = set(await store.db.list_collection_names())
    for name in {*COLLECTIONS, *(kind.noun for kind in aggregates)} - there:
        await store.make(name)
    await store["outbox"].create_index([("sequence", 1), ("_id", 1)])
    await store["outbox"].create_index(SPOKEN, unique=True, partialFilterExpression={"sequence": {"$gt": 0}})
    await store["parked"].create_index([("consumer", 1), ("subject_key", 1)])
    await store["parked"].create_index([("consumer", 1), ("status", 1), ("retry", 1)])
    await store["marks"].create_index([("consumer", 1)])
    await store["dead"].create_index([("consumer", 1), ("status", 1)])
    await store["dead"].create_index([("consumer", 1), ("subject_key", 1)])
    await store["dismissed"].create_index([("consumer", 1)])
    await store["access"].create_index([("programme", 1), ("person", 1)])
    await store["answers"].create_index([("at", 1)], expireAfterSeconds=int(REMEMBERED.total_seconds()))
    for kind in aggregates:
        for fields in kind.indexes:
            await store[kind.noun].create_index([("programme", 1), *((f"state.{field}", 1) for field in fields)])
