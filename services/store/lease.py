"""Leases in a service's database: of several copies of a service, one holds a lease and does the work.

Invariant: only the server's clock decides whether a lease has expired. A lease elects a holder and protects nothing: a holder that was
frozen still believes that it holds it. So its writes must be fenced by other means, such as `Lease.mine` or a transactional producer.
"""

import asyncio
import os
import socket
import uuid
from datetime import timedelta
from typing import Any

from services.store.mongo import Document, Store

DURATION = timedelta(seconds=6)
LEASES = "leases"  # the collection of those leases that no document of another collection holds
_HELD: Document = {"holder": {"$ne": None}, "$expr": {"$gt": ["$until", "$$NOW"]}}


class LeaseLost(Exception):
    """Another copy holds the lease."""


class Lease:
    """One copy's claim to the document `name`. Its fields are `holder`, `who` (host and process), `since`, `until` and `epoch`, which
    counts the holders; a `collection` other than `leases` may keep fields of its own beside them."""

    def __init__(self, store: Store, name: str, collection: str = LEASES) -> None:
        self._store, self._name, self._collection = store, name, collection
        # Random, since host and process number can be the same again after a restart.
        self.holder, self._who = uuid.uuid4().hex, f"{socket.gethostname()}/{os.getpid()}"
        self._renewed = float("-inf")

    @property
    def mine(self) -> Document:
        """The filter of a fenced write to the lease's document: it matches only while this copy holds the lease."""
        return {"_id": self._name, "holder": self.holder}

    async def take(self) -> Document | None:
        """Take or renew the lease. Returns its document, or None while another copy holds it."""
        document: Any = self._store[self._collection]
        # Made first: an upsert below would insert a duplicate `_id` whenever another copy holds the lease.
        await document.update_one({"_id": self._name}, {"$setOnInsert": {"holder": None}}, upsert=True)
        ours = {"$eq": ["$holder", self.holder]}
        free = {"$or": [ours, {"$not": ["$holder"]}, {"$lt": [{"$ifNull": ["$until", "$$NOW"]}, "$$NOW"]}]}
        renewed = asyncio.get_running_loop().time()  # before the request, so that the next renewal is never too late
        # Test and claim are one operation, so that two copies cannot both take it.
        taken: Document | None = await document.find_one_and_update(
            {"_id": self._name, "$expr": free}, [{"$set": self._claim(ours)}], return_document=True
        )
        if taken is not None:
            self._renewed = renewed
        return taken

    def _claim(self, ours: Document) -> Document:
        milliseconds = DURATION // timedelta(milliseconds=1)
        epoch = {"$ifNull": ["$epoch", 0]}
        return {
            "holder": self.holder,
            "who": self._who,
            "since": {"$cond": [ours, {"$ifNull": ["$since", "$$NOW"]}, "$$NOW"]},
            "until": {"$dateAdd": {"startDate": "$$NOW", "unit": "millisecond", "amount": milliseconds}},
            "epoch": {"$cond": [ours, epoch, {"$add": [epoch, 1]}]},
        }

    async def keep(self) -> None:
        """Renew the lease when a quarter of its duration has passed. Raises LeaseLost when another copy holds it."""
        # Long before its end, so that a slow answer does not cost the lease.
        due = asyncio.get_running_loop().time() - self._renewed > DURATION.total_seconds() / 4
        if due and await self.take() is None:
            raise LeaseLost

    async def release(self) -> None:
        """Give the lease up, so that the next holder need not wait until it expires."""
        # Only its own: another copy may hold it by now.
        await self._store[self._collection].update_one(self.mine, {"$set": {"holder": None}})


async def held(store: Store, name: str, collection: str = LEASES) -> Document | None:
    """The lease's document while any copy holds it, by the server's clock; else None."""
    found: Document | None = await store[collection].find_one({"_id": name, **_HELD})
    return found


def held_now(store: Store, name: str, collection: str = LEASES) -> bool:
    """True while any copy holds the lease. Blocks: for work that runs in a thread of its own."""
    return store.bare[collection].find_one({"_id": name, **_HELD}, {"_id": 1}) is not None
