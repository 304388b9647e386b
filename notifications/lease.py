"""Who of several copies does what only one should: a lease in the service's database, on the server's clock.

A lease elects; it protects nothing. A holder that was frozen believes in it still, so what it holds must be fenced by other means.
"""

import asyncio
import uuid
from datetime import timedelta

from services.store.mongo import Store

LEASE = timedelta(seconds=6)


class Deposed(Exception):
    """Another copy holds the lease."""


class Lease:
    """One copy's claim to the document `name` in the collection `leases`."""

    def __init__(self, store: Store, name: str) -> None:
        self._leases, self._name, self._me = store["leases"], name, uuid.uuid4().hex
        self._taken = float("-inf")

    async def take(self) -> bool:
        """Take it, or renew it; whether it is ours now."""
        await self._leases.update_one({"_id": self._name}, {"$setOnInsert": {"holder": None}}, upsert=True)
        free = {"$or": [{"$in": ["$holder", [self._me, None]]}, {"$lt": ["$until", "$$NOW"]}]}
        until = {
            "$dateAdd": {"startDate": "$$NOW", "unit": "millisecond", "amount": LEASE // timedelta(milliseconds=1)}
        }
        change = [{"$set": {"holder": self._me, "until": until}}]
        self._taken = asyncio.get_running_loop().time()
        return bool((await self._leases.update_one({"_id": self._name, "$expr": free}, change)).matched_count)

    async def keep(self) -> None:
        """Renew it when a quarter has passed. Raises Deposed when it is another's."""
        if asyncio.get_running_loop().time() - self._taken > LEASE.total_seconds() / 4 and not await self.take():
            raise Deposed

    async def release(self) -> None:
        """Give it up, so that the next holder need not wait for it to end."""
        await self._leases.update_one({"_id": self._name, "holder": self._me}, {"$set": {"holder": None}})
