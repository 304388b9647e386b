"""Reach of the memory of shown means. After a restore, or under another key, it does not reach back to the first look.

Invariant: what left the house is not forgotten. A restored memory is older than what was shown, and digests under another key name
nobody. So all blocks of then are sealed, and no block whose wave may have begun by then shows anything.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import ClassVar

from analytics.shown_blocks import ShownBlock
from services.contracts.sessions import NOTICE
from services.programmes import Programme
from services.store.clock import now_utc
from services.store.documents import StoredDocument
from services.store.mongo import Document, ReplaceOne, Store, Transaction, UpdateOne
from services.store.restored import STATE, RestoreState

THE_ONE = "past"


@dataclass(frozen=True, slots=True)
class Past(StoredDocument):
    """The one document of `looks`. `key`: a digest that only the same key makes; `restored`: the last restore that it knows of.

    `unknown`: nobody knows what was shown before this moment; None when all looks are remembered. `turn`: counts, so that a look that
    writes and an erasure conflict.
    """

    collection: ClassVar[str] = "looks"
    omitted: ClassVar[frozenset[str]] = frozenset({"restored", "unknown"})

    key: bytes
    restored: datetime | None = None
    unknown: datetime | None = None
    turn: int = 0

    def covers(self, rules: Programme, instrument: str, wave: str, first_due: date | None) -> bool:
        """Tell whether anybody may have answered this survey in the unknown past. `first_due`: of the surveys that are known."""
        if self.unknown is None:
            return False
        # By the plan as well: whoever was asked may have been lost.
        begins = min(rules.starts, rules.intake.opens)
        planned = [
            begins + timedelta(days=each.due_days)
            for each in rules.surveys
            if (each.instrument, each.wave) == (instrument, wave)
        ]
        dues = [*planned, *([] if first_due is None else [first_due])]
        return not planned or min(dues) - NOTICE <= rules.day_of(self.unknown)


async def past_of(store: Store, key: bytes, transaction: Transaction) -> Past:
    """Return how far the memory reaches; note it when the database was restored, or the key is another one than before."""
    stored = (await store.by_id(Past.collection, [THE_ONE], transaction)).get(THE_ONE)
    state = (await store.by_id(RestoreState.collection, [STATE], transaction)).get(STATE)
    known = None if stored is None else Past.of(stored)
    restored = None if state is None else _moment(RestoreState.of(state))
    if known is not None and (known.key, known.restored) == (key, restored):
        return known
    if known is None and state is None:
        new = Past(THE_ONE, key)  # blocks of before an upgrade were shown under this key
    else:
        new = replace(known or Past(THE_ONE, key), key=key, restored=restored, unknown=now_utc())
        await _seal(store, transaction)
    await store.write(Past.collection, [ReplaceOne({"_id": THE_ONE}, new.document(), upsert=True)], transaction)
    return new


def conflict() -> UpdateOne:
    """Return the write by which a look that writes and an erasure conflict. The first one does not see the register of the erased."""
    return UpdateOne({"_id": THE_ONE}, {"$inc": {"turn": 1}})


def _moment(state: RestoreState) -> datetime | None:
    return state.at or state.backup  # an earlier version did not note when it restored


async def _seal(store: Store, transaction: Transaction) -> None:
    found: list[Document] = await store[ShownBlock.collection].find({}, session=transaction).to_list(None)
    blocks = [ShownBlock.of(each) for each in found]
    await store.write(
        ShownBlock.collection, [write for each in blocks for write in each.seal().write(each)], transaction
    )
