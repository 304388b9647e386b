"""Dead letters as an operator deals with them: looked at, taken again, or let go.

Invariants: a dead letter keeps its record, whatever becomes of it; whoever lets a subject go on writes its mark in the same transaction
as what the consumer shall do next, so that an event that is parked meanwhile is seen by one of the two; the consumer itself takes what
was redriven, and passes over what was dismissed, in its own process; what was dismissed stays so for every generation to come.
"""

from collections.abc import Sequence
from datetime import datetime

from services.events.delivery.state import BEHIND_DEAD, HOLE
from services.events.inbox.state import OPEN, REMEMBERED, lasting
from services.kernel import Refusal, Refused
from services.store.clock import now_utc
from services.store.mongo import Document, Store, Transaction

REDRIVEN, DISMISSED, SUPERSEDED = "redriven", "dismissed", "superseded"
DUE = "not yet: let go on"  # as the consumer's own waiting events, it is tried at once


async def listed(store: Store, consumer: str | None = None, closed: bool = False, limit: int = 0) -> list[Document]:
    """Dead letters, oldest first, without their payload: the open ones, or all that ever were; at most `limit`, unless that is 0."""
    where: Document = {} if closed else {"status": OPEN}
    if consumer is not None:
        where["consumer"] = consumer
    found = store["dead"].find(where, {"value": 0, "key": 0}).sort([("at", 1), ("_id", 1)])
    return [each async for each in found.limit(limit)]


async def found(store: Store, id: str, session: Transaction | None = None) -> Document:
    """One, with all there is of it. Refused when there is none."""
    dead: Document | None = await store["dead"].find_one({"_id": id}, session=session)
    if dead is None:
        raise Refused("no-such-dead-letter", f"{store.name} has no dead letter {id}.", Refusal.NOT_FOUND)
    return dead


async def standing(store: Store, dead: Document) -> Document:
    """How its subject stands: the last sequence `taken`, whether it is `stopped`, and how many of its events are `parked`."""
    if "subject_key" not in dead:
        return {"taken": 0, "stopped": False, "parked": 0}
    mark = await store["marks"].find_one({"_id": _mark_of(dead)}) or {}
    behind = {"consumer": dead["consumer"], "subject_key": dead["subject_key"], "sequence": {"$gt": dead["sequence"]}}
    parked = await store["parked"].count_documents(behind)
    return {"taken": mark.get("sequence", 0), "stopped": bool(mark.get("stopped")), "parked": parked}


async def redrive(store: Store, id: str, by: str) -> bool:
    """Have its consumer take it again, and what is parked behind it in order. Returns whether another dead letter still holds them back.
    Refused for what no consumer can take."""

    async def body(session: Transaction) -> bool:
        dead = await _open(store, id, session)
        if "subject_key" not in dead:
            raise Refused("no-event", f"{id} is no event, so that no consumer can take it. Dismiss it.")
        if dead["intruder"]:
            raise Refused("intruder", f"{id} has the place of another event, and always will. Dismiss it.")
        await _close(store, dead, REDRIVEN, by, None, session)
        return await _go_on(store, dead, session)

    return await store.transaction(body)


async def dismiss(store: Store, id: str, by: str, reason: str) -> bool:
    """Let it go for ever: an event counts as taken without any effect, an intruder as if it had never been, here and in every rebuild.
    Returns whether another dead letter still holds its subject back."""

    async def body(session: Transaction) -> bool:
        dead = await _open(store, id, session)
        mine = lasting(dead["consumer"])
        entry = {
            "consumer": mine,
            "name": dead["name"],
            "keeps": not dead["intruder"],
            "by": by,
            "why": reason,
            "at": now_utc(),
        }
        await store["dismissed"].replace_one({"_id": f"{mine}/{dead['name']}"}, entry, upsert=True, session=session)
        await _close(store, dead, DISMISSED, by, reason, session)
        return "subject_key" in dead and await _go_on(store, dead, session)

    return await store.transaction(body)


async def withdraw(store: Store, consumer: str, names: Sequence[str]) -> None:
    """Take back what a consumer buried before it found that no event was at fault: all of it is tried again when it is started again."""

    async def body(session: Transaction) -> None:
        ids = [f"{consumer}/{name}" for name in names]
        for dead in (await store.by_id("dead", ids, session)).values():
            if dead["status"] == OPEN:
                await _close(store, dead, REDRIVEN, consumer, "it stopped, since too many failed alike", session)
                await _go_on(store, dead, session)

    await store.transaction(body)


async def supersede(store: Store, consumer: str) -> None:
    """Close what a generation that is no more has left."""
    change = {
        "$set": {"status": SUPERSEDED},
        "$push": _entry(SUPERSEDED, consumer, "its generation is no more", now_utc()),
    }
    await store["dead"].update_many({"consumer": consumer, "status": OPEN}, change)


async def _open(store: Store, id: str, session: Transaction) -> Document:
    dead = await found(store, id, session)
    if dead["status"] != OPEN:
        raise Refused("not-open", f"{id} is {dead['status']} already.")
    return dead


async def _close(store: Store, dead: Document, status: str, by: str, why: str | None, session: Transaction) -> None:
    change = {"$set": {"status": status}, "$push": _entry(status, by, why, now_utc())}
    await store["dead"].update_one({"_id": dead["_id"]}, change, session=session)


async def _go_on(store: Store, dead: Document, session: Transaction) -> bool:
    """Let the subject go on, unless another dead letter of it is open: whether one is. The mark is written in either case."""
    mine = {"consumer": dead["consumer"], "subject_key": dead["subject_key"]}
    other = await store["dead"].find_one({**mine, "status": OPEN}, session=session)
    stopped = {"$set": {"stopped": other["why"]}} if other else {"$unset": {"stopped": ""}}
    mark: Document | None = await store["marks"].find_one_and_update(
        {"_id": _mark_of(dead)}, stopped, return_document=True, session=session
    )
    if mark is None:
        raise Refused("no-consumer", f"The consumer {dead['consumer']} is no more.")
    if other is None:
        now = now_utc()
        due = {"why": DUE, "since": now, "retry": now, "tries": 0}
        following = await store["parked"].update_one(
            {"_id": f"{_mark_of(dead)}|{mark['sequence'] + 1}"}, {"$set": due}, session=session
        )
        if not following.matched_count:  # nothing can follow, and what is parked waits for what is missing
            behind = {**mine, "why": BEHIND_DEAD}
            await store["parked"].update_many(behind, {"$set": {"why": HOLE}}, session=session)
    return other is not None


def _mark_of(dead: Document) -> str:
    return f"{dead['subject_key']}|{dead['consumer']}"


def _entry(what: str, by: str, why: str | None, at: datetime) -> Document:
    entry = {"at": at, "what": what, "by": by, **({"why": why} if why else {})}
    return {"history": {"$each": [entry], "$slice": -REMEMBERED}}
