"""After a restore: what partners have read and people were sent, before anything more is sent.

Invariants: a ledger reaches as far as its topic, with the sequences and ids that are there; a message that was sent is not queued any
more. When events are consumed again, their facts take the entries and messages that they had (`commands.enter`, `commands.announce`).
"""

import logging
from functools import partial
from typing import Any

from notifications.domain import Fact, LedgerEntry, Message, Status
from notifications.feed_position import FeedPosition, feeds_of
from notifications.feed_topic import all_records
from notifications.ledger import day_of_midnight, topic_of
from notifications.ledger_entries import add_restored, last_sequence
from services.contracts import Event, decode
from services.contracts.envelope import Unreadable, read
from services.contracts.notifications import MessageFailed, MessageSent
from services.programmes import Programme
from services.runtime.service import Service
from services.store.mongo import InsertOne, UpdateOne

log = logging.getLogger(__name__)
OUTCOMES = {MessageSent.type, MessageFailed.type}


async def restore_feeds(service: Service) -> None:
    """Read back every entry that a topic has and its ledger lacks. A topic that holds something else keeps no other back: the publisher
    stops this feed, since its ledger does not reach as far as the topic."""
    for feed in feeds_of(service.rules.values()):
        try:
            await _read_back(service, feed)
        except (Unreadable, ValueError, KeyError, TypeError):
            log.exception("feed cannot be read back", extra={"partner": feed.partner})


async def _read_back(service: Service, feed: FeedPosition) -> None:
    last, count = await last_sequence(service.store, feed.programme, feed.partner), 0
    async for records in all_records(service.bus, topic_of(feed.partner)):
        entries = [entry for record in records if (entry := _entry(feed, record.value)).sequence > last]
        write = partial(add_restored, service.store, feed.programme, feed.partner, entries)
        await service.store.transaction(write)
        count += len(entries)
    if count:
        log.warning("entries were read back from the feed", extra={"partner": feed.partner, "count": count})


def _entry(feed: FeedPosition, value: bytes) -> LedgerEntry:
    event = decode(value)
    return LedgerEntry(
        id=f"{feed.partner}.{event.sequence}",
        partner=feed.partner,
        sequence=event.sequence,
        event=event.id,
        subject=event.subject,
        fact=Fact.model_validate({"type": event.type, **event.data}),
        written=day_of_midnight(event.recordedtime),
        restored=True,
    )


async def restore_messages(service: Service) -> None:
    """Give messages the outcome that was published and is not in the database."""
    store = service.store
    async for each in store["recalled"].find({"topic": MessageSent.topic, "lost": {"$exists": True}}):
        rows = await store.by_id("outbox", [lost["id"] for lost in each["lost"]])
        for event in (decode(row["value"]) for row in rows.values()):
            if event.type in OUTCOMES and event.programme in service.rules:
                await _restore(service, read(event))


async def _restore(service: Service, event: Event[Any]) -> None:
    """Apply the outcome to a message that is still queued, or that the database lacks. Erased people get no message back."""
    store, programme, _id = service.store, event.programme, f"{event.programme}/{event.subject}"
    if await store.by_id("erased", [f"{programme}/{event.data.worker}"]):
        return
    stored = (await store.by_id(Message.noun, [_id])).get(_id)
    message = Message.model_validate(stored["state"]) if stored else lost_message(event, service.rules[programme])
    if message.status is not Status.QUEUED:
        return
    message.apply(event.data, event.time)
    state = message.model_dump(mode="json")
    if stored:
        await store.write(
            Message.noun, [UpdateOne({"_id": _id, "state.status": Status.QUEUED.value}, {"$set": {"state": state}})]
        )
    else:
        document = {"_id": _id, "programme": programme, "version": 1, "sequences": {}, "state": state}
        await store.write(Message.noun, [InsertOne(document)])


def lost_message(event: Event[Any], rules: Programme) -> Message:
    """The message of an outcome as it was queued. The day of the outcome stands for the day of the meeting, which no event carries."""
    return Message(
        id=event.subject,
        worker=event.data.worker,
        about=event.data.about,
        reference=event.data.reference,
        day=rules.day_of(event.time),
        correlation=event.correlationid or event.id,
    )
