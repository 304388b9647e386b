"""Operations on dead letters: list, redrive (the consumer takes the record again), dismiss (no consumer ever takes it).

Invariants: a dead letter keeps its record, whatever is done with it. A transaction that lets a subject go on fences the consumers, which
remember marks, parked events and dismissals. It writes the subject's mark, so that it conflicts with one that parks an event meanwhile.
The consumer itself takes what was redriven, in its own process. A dismissal holds for every generation to come.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, TypedDict, cast

from services.contracts import catalogue, decode
from services.events.delivery.state import REASONS, ParkedStatus, programme_in
from services.events.inbox.documents import (
    GATE,
    DeadLetter,
    DeadStatus,
    RecordFields,
    dead_id,
    dismissal_of,
    history_push,
    mark_id,
    parked_id,
)
from services.events.inbox.traces import traces_of
from services.kernel import Refusal, Refused
from services.store.clock import now_utc
from services.store.fence import fence
from services.store.mongo import Document, Store, Transaction


class SubjectState(TypedDict):
    """State of a dead letter's subject: the last sequence `taken`, and the number of its events that are `parked` behind it."""

    taken: int
    stopped: bool
    parked: int


async def listed(
    store: Store, consumer: str | None = None, closed: bool = False, limit: int = 0, programme: str | None = None
) -> list[DeadLetter]:
    """Dead letters without `key` and `value`, oldest first: those that are open, or all (`closed`); at most `limit`, 0 is no limit;
    of one `programme`, or of all and of none."""
    where: Document = {} if closed else {"status": DeadStatus.OPEN}
    if programme is not None:
        where["subject_key"] = {"$regex": f"^{re.escape(_sources_of(programme))}"}
    if consumer is not None:
        where["consumer"] = consumer
    found = store["dead"].find(where, {"value": 0, "key": 0}).sort([("at", 1), ("_id", 1)])
    return [each async for each in found.limit(limit)]


async def found(
    store: Store, id: str, transaction: Transaction | None = None, programme: str | None = None
) -> DeadLetter:
    """One dead letter, complete. Refused no-such-dead-letter, also when it is not of this `programme`."""
    dead: DeadLetter | None = await store["dead"].find_one({"_id": id}, session=transaction)
    if dead is None or (programme is not None and not dead.get("subject_key", "").startswith(_sources_of(programme))):
        raise Refused("no-such-dead-letter", f"{store.name} has no dead letter {id}.", Refusal.NOT_FOUND)
    return dead


async def subject_state(store: Store, dead: DeadLetter) -> SubjectState:
    """The state of the dead letter's subject; a record that is no event has none."""
    if "subject_key" not in dead:
        return SubjectState(taken=0, stopped=False, parked=0)
    mark = await store["marks"].find_one({"_id": _mark_of(dead)}) or {}
    behind = {**_subject_of(dead), "sequence": {"$gt": dead["sequence"]}}
    parked = await store["parked"].count_documents(behind)
    return SubjectState(taken=mark.get("sequence", 0), stopped=bool(mark.get("stopped")), parked=parked)


async def redrive(store: Store, id: str, by: str) -> bool:
    """Let its consumer take it again, and what is parked behind it in order. True: another dead letter still stops the subject.

    Refused no-such-dead-letter, not-open, no-event, intruder, no-consumer.
    """

    async def body(transaction: Transaction) -> bool:
        await fence(store, transaction)
        dead = await _open(store, id, transaction)
        if "subject_key" not in dead:
            raise Refused("no-event", f"{id} is no event, so that no consumer can take it. Dismiss it.")
        if dead["intruder"]:
            raise Refused("intruder", f"{id} has the place of another event, and always will. Dismiss it.")
        await _close(store, dead, DeadStatus.REDRIVEN, by, None, transaction)
        return await _go_on(store, dead, transaction)

    return await store.transaction(body)


async def dismiss(store: Store, id: str, by: str, reason: str) -> bool:
    """Exclude it for ever, also from every rebuild: an event counts as taken without effect, an intruder as never delivered.

    True: another dead letter still stops the subject. Refused no-such-dead-letter, not-open, no-consumer.
    """

    async def body(transaction: Transaction) -> bool:
        await fence(store, transaction)
        dead = await _open(store, id, transaction)
        dismissal = dismissal_of(dead, by, reason, now_utc())
        await store["dismissed"].replace_one({"_id": dismissal["_id"]}, dismissal, upsert=True, session=transaction)
        await _close(store, dead, DeadStatus.DISMISSED, by, reason, transaction)
        return "subject_key" in dead and await _go_on(store, dead, transaction)

    return await store.transaction(body)


async def withdraw(store: Store, consumer: str, names: Sequence[str]) -> None:
    """Redrive what a consumer buried before it found that no event was at fault. It takes all of it when it is started again."""

    async def body(transaction: Transaction) -> None:
        await fence(store, transaction)
        ids = [dead_id(consumer, name) for name in names]
        for document in (await store.by_id("dead", ids, transaction)).values():
            dead = cast("DeadLetter", document)
            # An operator may have closed it meanwhile.
            if dead["status"] == DeadStatus.OPEN:
                await _close(
                    store, dead, DeadStatus.REDRIVEN, consumer, "it stopped, since too many failed alike", transaction
                )
                await _go_on(store, dead, transaction)

    await store.transaction(body)


async def release(store: Store, programme: str, person: str, transaction: Transaction) -> None:
    """Delete what dead letters hold of a person who was erased, and let the subjects go on: nothing about the person takes effect any
    more. An open dead letter about somebody else stays, if others need its effect; an operator closes it. The caller has fenced the
    consumers."""
    traces = await traces_of(store, programme, person, transaction)
    gone = [cast("DeadLetter", each) for each in traces.dead if _has_no_effect(each, person)]
    await store["dead"].delete_many({"_id": {"$in": [each["_id"] for each in gone]}}, session=transaction)
    await store["outbox"].delete_many({"_id": {"$in": [each["_id"] for each in traces.outbox]}}, session=transaction)
    for each in gone:
        # Those that an operator has closed hold nothing back.
        if each["status"] == DeadStatus.OPEN and each["consumer"] != GATE and "subject_key" in each:
            with suppress(Refused):  # its generation is no more
                await _go_on(store, each, transaction)
    # The others are taken, without effect. What lacks its predecessor would wait for ever.
    waiting = [each["_id"] for each in traces.parked if each["subject_key"].endswith(f"|{person}")]
    lost = {"_id": {"$in": waiting}, "status": ParkedStatus.GAP.value}
    await store["parked"].delete_many(lost, session=transaction)


def _has_no_effect(dead: Document, person: str) -> bool:
    """Tell whether a dead letter that names an erased person would have no effect when it was taken again."""
    if dead["status"] != DeadStatus.OPEN or dead.get("subject") in {None, person}:
        return True
    event, kind = decode(dead["value"]), catalogue().get(dead["type"])
    return kind is not None and isinstance(event.data, dict) and event.data.get(kind.person or "") == person


async def supersede(store: Store, where: Document, why: str) -> None:
    """Close those open dead letters of one `consumer` that nobody can take any more."""
    change = _closing(DeadStatus.SUPERSEDED, where["consumer"], why)
    await store["dead"].update_many({**where, "status": DeadStatus.OPEN}, change)


async def _open(store: Store, id: str, transaction: Transaction) -> DeadLetter:
    dead = await found(store, id, transaction)
    if dead["status"] != DeadStatus.OPEN:
        raise Refused("not-open", f"{id} is {dead['status']} already.")
    return dead


async def _close(
    store: Store, dead: DeadLetter, status: DeadStatus, by: str, why: str | None, transaction: Transaction
) -> None:
    programme = programme_in(dead["subject_key"]) if "subject_key" in dead else ""
    if await store.by_id("erased", [f"{programme}/{dead.get('subject')}"], transaction):
        # Nothing is kept about an erased person, closed or not.
        await store["dead"].delete_one({"_id": dead["_id"]}, session=transaction)
        return
    await store["dead"].update_one({"_id": dead["_id"]}, _closing(status, by, why), session=transaction)


def _closing(status: DeadStatus, by: str, why: str | None) -> dict[str, Any]:
    return {"$set": {"status": status.value}, "$push": history_push(status.value, by, why, now_utc())}


async def _go_on(store: Store, dead: DeadLetter, transaction: Transaction) -> bool:
    """Let the subject go on, unless another of its dead letters is open (True). The mark is written in either case."""
    if dead["consumer"] == GATE:
        await _park_again(store, dead, transaction)
        return False
    other = await store["dead"].find_one({**_subject_of(dead), "status": DeadStatus.OPEN}, session=transaction)
    stopped = {"$set": {"stopped": other["why"]}} if other else {"$unset": {"stopped": ""}}
    # Conflicts with a consumer that parks an event of the subject now. That event would otherwise wait for ever.
    mark: Document | None = await store["marks"].find_one_and_update(
        {"_id": _mark_of(dead)}, stopped, return_document=True, session=transaction
    )
    # The marks of a generation that was discarded are gone.
    if mark is None:
        raise Refused("no-consumer", f"The consumer {dead['consumer']} is no more.")
    if other is None:
        await _make_due(store, dead, mark["sequence"] + 1, transaction)
    return other is not None


async def _park_again(store: Store, dead: DeadLetter, transaction: Transaction) -> None:
    """Have the gate try the event again, whatever is before it."""
    record = {name: dead[name] for name in RecordFields.__annotations__}  # type: ignore[literal-required]
    parked = {**_subject_of(dead), "sequence": dead["sequence"], **record, **_due()}
    id = parked_id(dead["subject_key"], dead["consumer"], dead["sequence"])
    await store["parked"].replace_one({"_id": id}, parked, upsert=True, session=transaction)


def _due() -> Document:
    now = now_utc()
    waits = ParkedStatus.NOT_YET.value
    return {"status": waits, "reason": "an operator let it go on", "since": now, "retry": now, "tries": 0}


async def _make_due(store: Store, dead: DeadLetter, following: int, transaction: Transaction) -> None:
    """Have the consumer try the event `following` at once. Without one, what is parked waits for a missing event."""
    id = parked_id(dead["subject_key"], dead["consumer"], following)
    changed = await store["parked"].update_one({"_id": id}, {"$set": _due()}, session=transaction)
    if not changed.matched_count:
        behind = {**_subject_of(dead), "status": ParkedStatus.BEHIND_DEAD}
        gap = {"status": ParkedStatus.GAP.value, "reason": REASONS[ParkedStatus.GAP]}
        await store["parked"].update_many(behind, {"$set": gap}, session=transaction)


def _sources_of(programme: str) -> str:
    """The beginning of every subject key of a programme. A record that is no event is of no programme."""
    return f"/programmes/{programme}/"


def _subject_of(dead: DeadLetter) -> Document:
    return {"consumer": dead["consumer"], "subject_key": dead["subject_key"]}


def _mark_of(dead: DeadLetter) -> str:
    return mark_id(dead["subject_key"], dead["consumer"])
