"""The relay's document in MongoDB: the lease of the relay that sends, and its position in the change stream of the outbox.

Invariant: both are in one document, so that a relay that lost the lease cannot set the position back.
"""

from datetime import datetime
from typing import TypedDict, cast

from services.store.lease import Lease, LeaseLost, held, held_now
from services.store.mongo import Document, Store

RELAY = "relay"  # the collection, and the id of its one document


class RelayDocument(TypedDict, total=False):
    """Collection `relay`. `token`: the resume token of the last event that Kafka has committed; `at`: the time when it was saved. The other
    fields are those of `Lease`."""

    holder: str | None
    who: str
    since: datetime
    until: datetime
    epoch: int
    token: Document | None
    at: datetime


class Position:
    """The lease and the position of one relay."""

    def __init__(self, store: Store) -> None:
        self._store, self.lease = store, Lease(store, RELAY, RELAY)

    async def take(self) -> RelayDocument | None:
        """Take or renew the lease. Returns the position, or None while another relay holds the lease."""
        return cast("RelayDocument | None", await self.lease.take())

    async def retake(self) -> RelayDocument:
        """Renew the lease. Raises LeaseLost when another relay holds it."""
        if (document := await self.take()) is None:
            raise LeaseLost
        return document

    async def save(self, token: Document) -> None:
        """Save the position. Raises LeaseLost when another relay holds the lease."""
        # In a pipeline a document is an expression, and the token must be stored as it is.
        change = [{"$set": {"token": {"$literal": token}, "at": "$$NOW"}}]
        if (await self._store[RELAY].update_one(self.lease.mine, change)).matched_count == 0:
            raise LeaseLost


async def sending_relay(store: Store) -> RelayDocument | None:
    """The document while a relay holds the lease, by the server's clock; else None."""
    return cast("RelayDocument | None", await held(store, RELAY, RELAY))


def relay_runs(store: Store) -> bool:
    """True while a relay holds the lease. Blocks: for work that runs in a thread of its own."""
    return held_now(store, RELAY, RELAY)


async def saved_at(store: Store) -> datetime | None:
    """The time when a relay last saved its position; None when none ever did."""
    document: RelayDocument | None = await store[RELAY].find_one({"_id": RELAY}, {"at": 1})
    return document.get("at") if document else None
