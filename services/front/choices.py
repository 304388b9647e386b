"""The role that a person with several chose last, so that the next sign-in goes on there.

Invariant: the database has no name of a person here, only a hash under a key that it does not have.
"""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from services.front.grants import Grant
from services.front.sealed import utc
from services.store.mongo import Store

COLLECTION = "choices"
KEPT = timedelta(days=400)


class Choices:
    """The last choices of everybody. `key`: 32 bytes that the database does not have."""

    def __init__(self, store: Store, key: bytes) -> None:
        self._store, self._key = store, key

    async def prepare(self) -> None:
        """Make the collection and its index."""
        await self._store.make(COLLECTION)
        await self._documents.create_index([("expires", 1)], expireAfterSeconds=0)

    @property
    def _documents(self) -> Any:
        return self._store[COLLECTION]

    async def last(self, issuer: str, subject: str, grants: Sequence[Grant]) -> Grant | None:
        """Give the only grant, or the one that was chosen last if the person still has it."""
        if len(grants) == 1:
            return grants[0]
        found = await self._documents.find_one({"_id": self._named(issuer, subject)})
        return next((each for each in grants if found and str(each) == found["grant"]), None)

    async def note(self, issuer: str, subject: str, grant: Grant) -> None:
        """Remember a choice until the next one, or for KEPT."""
        kept = {"grant": str(grant), "expires": utc() + KEPT}
        await self._documents.update_one({"_id": self._named(issuer, subject)}, {"$set": kept}, upsert=True)

    def _named(self, issuer: str, subject: str) -> str:
        return hmac.digest(self._key, f"{issuer}\0{subject}".encode(errors="replace"), hashlib.sha256).hex()
