"""Ledgers as the publisher and a restore read and write them, outside of any command."""

from collections.abc import Collection, Sequence

from notifications.domain import Feed, LedgerEntry
from services.contracts.enrolment import Purpose
from services.store.consents import consents_of
from services.store.mongo import Document, InsertOne, Store, Transaction, UpdateOne


async def entries_after(store: Store, programme: str, partner: str, sequence: int, limit: int) -> list[LedgerEntry]:
    """The entries that follow, in order and without a gap: an entry that is not committed yet ends the list, and so does one that
    cannot be read. ValueError when the first one cannot."""
    where = {"programme": programme, "state.partner": partner, "state.sequence": {"$gt": sequence}}
    entries: list[LedgerEntry] = []
    async for found in store[LedgerEntry.noun].find(where).sort("state.sequence", 1).limit(limit):
        try:
            entry = LedgerEntry.model_validate(found["state"])
        except ValueError:
            if not entries:
                raise
            break
        if entry.sequence != sequence + len(entries) + 1:
            break
        entries.append(entry)
    return entries


async def entry_at(store: Store, programme: str, partner: str, sequence: int) -> LedgerEntry | None:
    """The entry of that sequence, if there is one."""
    _id = f"{programme}/{partner}.{sequence}"
    found = (await store.by_id(LedgerEntry.noun, [_id])).get(_id)
    return LedgerEntry.model_validate(found["state"]) if found else None


async def consenting(store: Store, programme: str, workers: Collection[str]) -> set[str]:
    """Those workers who consent at this moment: their referrer may read about them. An erasure deletes the consents."""
    found = await consents_of(store, programme, workers)
    return {worker for worker, each in found.items() if each.allow(Purpose.PARTNER_FEEDBACK)}


async def last_sequence(store: Store, programme: str, partner: str) -> int:
    """The sequence of a ledger's last entry, 0 for an empty one."""
    found = (await store.by_id(Feed.noun, [f"{programme}/{partner}"])).values()
    return max((each["state"]["last"] for each in found), default=0)


async def add_restored(
    store: Store, programme: str, partner: str, entries: Sequence[LedgerEntry], transaction: Transaction
) -> None:
    """Store entries that were read back from the topic, and move the ledger's last sequence."""
    if not entries:
        return
    change: Document = {
        "$max": {"state.last": entries[-1].sequence},
        "$set": {"state.restored": True},
        "$inc": {"version": 1},
        "$setOnInsert": {"programme": programme, "sequences": {}, "state.id": partner},
    }
    feed = UpdateOne({"_id": f"{programme}/{partner}"}, change, upsert=True)
    inserts = [InsertOne(_new(programme, each)) for each in entries]
    await store.write_all({LedgerEntry.noun: inserts, Feed.noun: [feed]}, transaction)


def _new(programme: str, entry: LedgerEntry) -> Document:
    state = entry.model_dump(mode="json")
    return {"_id": f"{programme}/{entry.id}", "programme": programme, "version": 1, "sequences": {}, "state": state}
