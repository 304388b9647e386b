"""After a restore: what partners were told and people were written, before anything more is.

Invariants: a ledger reaches as far as its topic, with the numbers and ids that are there; a letter that went out is not queued any more.
What is then told again, because events are taken again, takes the place or the letter that it had (`commands.tell`, `commands.announce`).
"""

import logging
from collections.abc import AsyncIterator, Sequence
from datetime import UTC
from functools import partial
from typing import Any

from aiokafka import TopicPartition

from notifications.domain import Fact, Feed, LedgerEntry, Message, Status
from notifications.ledger import topic_of
from notifications.publisher import Delivery, feeds_of
from services.contracts import Event, decode
from services.contracts.notifications import MessageFailed, MessageSent
from services.events.bus.client import Bus
from services.runtime.service import Service
from services.store.mongo import Document, InsertOne, Session, Store, UpdateOne

log = logging.getLogger(__name__)
SENT = {MessageSent.type: Status.SENT, MessageFailed.type: Status.FAILED}


async def recall_feeds(service: Service) -> None:
    """Read back every place that a topic has and its ledger lacks."""
    for each in feeds_of(service.rules.values()):
        feed = (await service.store.by_id(Feed.noun, [f"{each.programme}/{each.partner}"])).values()
        last, back = max((found["state"]["last"] for found in feed), default=0), 0
        async for records in _records(service.bus, topic_of(each.partner)):
            places = [entry for record in records if (entry := _entry(each, record)).sequence > last]
            await service.store.transaction(partial(_keep, service.store, each, places))
            back += len(places)
        if back:
            log.warning("places were read back from the feed", extra={"partner": each.partner, "count": back})


async def _records(bus: Bus, topic: str) -> AsyncIterator[Sequence[Any]]:
    """Everything committed on a feed's one partition, in batches; nothing when there is no such topic."""
    partition, reader = TopicPartition(topic, 0), bus.reader(isolation_level="read_committed")
    await reader.start()
    try:
        if topic not in await reader.topics():
            return
        reader.assign([partition])
        await reader.seek_to_beginning(partition)
        end = (await reader.end_offsets([partition]))[partition]
        while await reader.position(partition) < end:
            for records in (await reader.getmany(partition, timeout_ms=500)).values():
                yield records
    finally:
        await reader.stop()


def _entry(delivery: Delivery, record: Any) -> LedgerEntry:
    event = decode(record.value)
    return LedgerEntry(
        id=f"{delivery.partner}.{event.sequence}",
        partner=delivery.partner,
        sequence=event.sequence,
        event=event.id,
        subject=event.subject,
        fact=Fact.model_validate({"type": event.type, **event.data}),
        written=event.recordedtime.astimezone(UTC).date(),
        restored=True,
    )


async def _keep(store: Store, delivery: Delivery, places: Sequence[LedgerEntry], session: Session) -> None:
    """All of a batch, and the number after which the ledger goes on."""
    if not places:
        return
    feed: Document = {
        "$max": {"state.last": places[-1].sequence},
        "$set": {"state.restored": True},
        "$inc": {"version": 1},
    }
    begun = {"$setOnInsert": {"programme": delivery.programme, "sequences": {}, "state.id": delivery.partner}}
    entries = [InsertOne(_stored(delivery.programme, each)) for each in places]
    which = {"_id": f"{delivery.programme}/{delivery.partner}"}
    await store.write_all(
        {LedgerEntry.noun: entries, Feed.noun: [UpdateOne(which, feed | begun, upsert=True)]}, session
    )


def _stored(programme: str, aggregate: LedgerEntry | Message) -> Document:
    state = aggregate.model_dump(mode="json")
    return {"_id": f"{programme}/{aggregate.id}", "programme": programme, "version": 1, "sequences": {}, "state": state}


async def recall_letters(service: Service) -> None:
    """What was said of letters, and is not known of them."""
    store = service.store
    lost = store["recalled"].find({"topic": MessageSent.topic, "lost": {"$exists": True}})
    async for each in lost:
        for letter in (await store.by_id("outbox", [said["id"] for said in each["lost"]])).values():
            if (event := decode(letter["value"])).type in SENT:
                await _settle(store, event)


async def _settle(store: Store, event: Event[Any]) -> None:
    """The letter has this fate: one that is still queued, or one that is not known here yet."""
    _id, person = f"{event.programme}/{event.subject}", f"{event.programme}/{event.data['worker']}"
    if await store.by_id("erased", [person]):
        return
    state = {"state.status": SENT[event.type].value, "state.reason": event.data.get("reason")}
    await store.write(Message.noun, [UpdateOne({"_id": _id, "state.status": Status.QUEUED.value}, {"$set": state})])
    if not await store.by_id(Message.noun, [_id]):
        message = Message(
            id=event.subject,
            worker=event.data["worker"],
            about=event.data["about"],
            reference=event.data["reference"],
            day=event.time.date(),
            correlation=event.correlationid or event.id,
            status=SENT[event.type],
            reason=event.data.get("reason"),
        )
        await store.write(Message.noun, [InsertOne(_stored(event.programme, message))])
