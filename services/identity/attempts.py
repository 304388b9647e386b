"""Failed sign-ins, and the time that the next one has to wait: longer after each failure, by address and by account.

Invariant: nobody is locked out by others. Who has signed in to an account from an address waits there for failures of the two together
alone; for everybody else the wait is bounded. All copies count in one collection, and an attempt counts before its password is looked at,
so guesses that come at once wait as well. No name and no address is kept or logged: only hashes of them under a key that is not there.
"""

import hashlib
import hmac
import ipaddress
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from services.store.errors import duplicates
from services.store.mongo import Document, PyMongoError, Store

log = logging.getLogger(__name__)
COLLECTION = "attempts"
FREE = 3  # failures after which no wait begins, since people mistype
ADDRESS_WAITS, ACCOUNT_WAITS = (
    300.0,
    30.0,
)  # seconds of the longest wait; an account's is short, since a stranger can cause it
FORGOTTEN = 3600.0  # seconds without a failure after which the former ones no longer count
REMEMBERED = timedelta(days=90)  # for which an address stays known as one of an account


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that may go on. It counts as failed unless `succeeded` says otherwise."""

    pair: str
    counted: tuple[str, ...]
    hashed: dict[str, str]


class Attempts:
    """The sign-ins of all copies. `key`: 32 bytes that the database does not have; `clock` tells the time."""

    def __init__(self, store: Store, key: bytes, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store, self._key, self._clock = store, key, clock

    async def prepare(self) -> None:
        """Make the collection and its index, by which MongoDB forgets."""
        await self._store.make(COLLECTION)
        await self._documents.create_index([("expires", 1)], expireAfterSeconds=0)

    @property
    def _documents(self) -> Any:
        return self._store[COLLECTION]

    async def begin(self, account: str, address: str) -> Attempt | float:
        """Begin an attempt. Gives the seconds that it has to wait, when it may not be made now."""
        pair = self._hash("pair", account, network(address))
        hashed = {"account": self._hash("account", account), "address": self._hash("address", network(address))}
        counted = await self._counted(pair, hashed)
        now = self._clock()
        waits = [
            each["until"] async for each in self._documents.find({"_id": {"$in": list(counted)}, "until": {"$gt": now}})
        ]
        if waits:
            return float(max((each - now).total_seconds() for each in waits))
        for key, longest in counted.items():
            if not await self._count(key, longest, now):
                return 1.0  # another attempt was counted at this moment, and this one has to wait with it
        return Attempt(pair, tuple(counted), hashed)

    def failed(self, attempt: Attempt) -> None:
        """Log a failure. It was counted when it began."""
        log.warning("sign-in was refused", extra={"reason": "wrong password", **attempt.hashed})

    async def succeeded(self, attempt: Attempt) -> None:
        """Take back what was counted, and remember that this account belongs here."""
        now = self._clock()
        others = {"_id": {"$in": list(attempt.counted)}, "count": {"$gt": 0}}
        await self._documents.update_many(others, {"$inc": {"count": -1}, "$set": {"until": now}})
        known = {"count": 0, "until": now, "last": now, "known": True, "expires": now + REMEMBERED}
        await self._documents.update_one({"_id": attempt.pair}, {"$set": known}, upsert=True)

    async def _counted(self, pair: str, hashed: dict[str, str]) -> dict[str, float]:
        """Give what counts this attempt, each with its longest wait in seconds."""
        if await self._documents.find_one({"_id": pair, "known": True}, {"_id": 1}) is not None:
            return {pair: ADDRESS_WAITS}
        return {hashed["address"]: ADDRESS_WAITS, hashed["account"]: ACCOUNT_WAITS}

    async def _count(self, key: str, longest: float, now: datetime) -> bool:
        """Count one failure in one step, unless it has to wait meanwhile."""
        try:
            await self._documents.update_one(
                {"_id": key, "until": {"$not": {"$gt": now}}}, _counting(longest, now), upsert=True
            )
        except PyMongoError as error:
            if not duplicates(error):  # the document is there, and says to wait
                raise
            return False
        return True

    def _hash(self, *parts: str) -> str:
        text = "\0".join(part.strip().casefold() for part in parts)
        return hmac.digest(self._key, text.encode(errors="replace"), hashlib.sha256).hex()[:32]


def _counting(longest: float, now: datetime) -> list[Document]:
    """Count in the database itself, so that no two attempts read the same count."""
    forgotten = {
        "$lte": [{"$ifNull": ["$last", now - timedelta(seconds=FORGOTTEN)]}, now - timedelta(seconds=FORGOTTEN)]
    }
    count = {"$cond": [forgotten, 1, {"$add": [{"$ifNull": ["$count", 0]}, 1]}]}
    # The exponent is bounded, since a power of two without bound is soon too large for a number.
    power = {"$pow": [2, {"$min": [{"$subtract": ["$count", FREE]}, 16]}]}
    seconds = {"$cond": [{"$gte": ["$count", FREE]}, {"$min": [longest, power]}, 0]}
    until = {"$add": [now, {"$multiply": [1000, seconds]}]}  # milliseconds
    kept = {"$cond": [{"$ifNull": ["$known", False]}, "$expires", now + timedelta(seconds=FORGOTTEN)]}
    return [{"$set": {"count": count, "last": now, "expires": kept}}, {"$set": {"until": until}}]


def network(address: str) -> str:
    """Give the network that one subscriber has: of IPv6 the first 64 bits, in which a subscriber has every address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else str(found)
