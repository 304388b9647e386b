"""What is asked of this service's documents outside of any decision: messages to claim, places to deliver, lists to show.

Invariant: a claim stands beside a message's state (`mail`), never in it, and on the server's clock; whatever decides a message's
fate replaces the document, and the claim with it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from notifications.domain import LedgerEntry, Message, ReferredPerson, Status
from services.store.mongo import Document, Store

HELD = timedelta(minutes=2)  # for so long a claimed message is nobody else's


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that is ours to send, for as long as `HELD`; `tries` counts this attempt, `failures` those before that were told to
    have failed: a copy that died says nothing of the mail server."""

    programme: str
    message: Message
    tries: int
    failures: int


async def claim(store: Store, programmes: Collection[str]) -> Claim | None:
    """The oldest message that is due and claimed by nobody, if there is one."""
    due = {"$lte": [{"$ifNull": ["$mail.due", "$$NOW"]}, "$$NOW"]}
    where = {"programme": {"$in": sorted(programmes)}, "state.status": Status.QUEUED.value, "$expr": due}
    tries = {"$add": [{"$ifNull": ["$mail.tries", 0]}, 1]}
    change = [{"$set": {"mail.due": _in(HELD), "mail.tries": tries}}]
    found = await store[Message.noun].find_one_and_update(where, change, sort=[("_id", 1)], return_document=True)
    if found is None:
        return None
    mail = found["mail"]
    return Claim(found["programme"], Message.model_validate(found["state"]), mail["tries"], mail.get("failures", 0))


async def postpone(store: Store, claim: Claim, delay: timedelta, *, counted: bool = True) -> None:
    """Try again after the delay; an attempt that never reached the mail server does not count."""
    ours = {
        "_id": f"{claim.programme}/{claim.message.id}",
        "state.status": Status.QUEUED.value,
        "mail.tries": claim.tries,
    }
    tries, failures = (claim.tries, claim.failures + 1) if counted else (claim.tries - 1, claim.failures)
    mail = {"due": _in(delay), "tries": tries, "failures": failures}
    await store[Message.noun].update_one(ours, [{"$set": {"mail": mail}}])


def _in(delay: timedelta) -> Document:
    return {"$dateAdd": {"startDate": "$$NOW", "unit": "millisecond", "amount": delay // timedelta(milliseconds=1)}}


async def card_of(store: Store, programme: str, worker: str) -> bytes | None:
    """The contact card as it stands on the bus, encrypted; None when there is none, or none any more."""
    _id = f"{programme}/{worker}"
    found = (await store.by_id("contacts", [_id])).get(_id)
    return bytes(found["value"]) if found and found["value"] is not None else None


async def places_after(store: Store, programme: str, partner: str, sequence: int, limit: int) -> list[LedgerEntry]:
    """The places that follow, in order and without a gap: what a transaction has not committed yet ends the list."""
    where = {"programme": programme, "state.partner": partner, "state.sequence": {"$gt": sequence}}
    entries: list[LedgerEntry] = []
    async for found in store[LedgerEntry.noun].find(where).sort("state.sequence", 1).limit(limit):
        entry = LedgerEntry.model_validate(found["state"])
        if entry.sequence != sequence + len(entries) + 1:
            break
        entries.append(entry)
    return entries


async def place(store: Store, programme: str, partner: str, sequence: int) -> LedgerEntry | None:
    """One place."""
    _id = f"{programme}/{partner}.{sequence}"
    found = (await store.by_id(LedgerEntry.noun, [_id])).get(_id)
    return LedgerEntry.model_validate(found["state"]) if found else None


async def consenting(store: Store, programme: str, workers: Collection[str]) -> set[str]:
    """Those of them of whom the partner may be told at this moment."""
    ids = [f"{programme}/{worker}" for worker in workers]
    known, erased = await store.by_id(ReferredPerson.noun, ids), await store.by_id("erased", ids)
    people = [ReferredPerson.model_validate(found["state"]) for _id, found in known.items() if _id not in erased]
    return {each.id for each in people if each.consents}


async def note_delivery(store: Store, programme: str, partner: str, delivered: int, stopped: str | None) -> None:
    """Write down how far a ledger is delivered, to be shown; nothing rests on it."""
    how = {"programme": programme, "partner": partner, "delivered": delivered, "stopped": stopped}
    await store["deliveries"].replace_one({"_id": f"{programme}/{partner}"}, how, upsert=True)
