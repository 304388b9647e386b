"""The state of one service as gauges, set every few seconds: events that wait, for how long, and events that were given up.

Invariants: a measurement changes nothing and is cheap. Whatever fails in one, the gauges keep their values, and the service runs on.
The age of the outbox compares ids by the service's clock with the relay's save by the server's, so it is exact up to their difference.
"""

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from services.events.delivery.state import ParkedStatus
from services.events.inbox.documents import DeadStatus
from services.events.inbox.runner import ConsumerRunner
from services.events.outbox.position import saved_at, sending_relay
from services.events.outbox.relay import first_id_of
from services.runtime.levels import Levels
from services.store.clock import now_utc
from services.store.mongo import Document, Store, within
from services.telemetry import Metrics

log = logging.getLogger(__name__)
EVERY = 3.0  # seconds between measurements
PATIENCE = 10.0  # seconds for one measurement
RELAY = "relay"  # the consumer label of the outbox's age


async def watch(store: Store, runners: Mapping[str, ConsumerRunner], metrics: Metrics, every: float = EVERY) -> None:
    """Set the gauges again and again for as long as the service runs."""
    levels = Levels(store)
    while True:
        try:
            async with asyncio.timeout(PATIENCE + 1):
                with within(PATIENCE):
                    await look(store, runners, metrics)
                    await levels.keep(runners)
        except Exception as error:  # noqa: BLE001  # also of a document that cannot be read
            # The service goes on: without a successful look the alert FiguresOld fires after two minutes.
            log.warning(
                "gauges could not be set",
                extra={"service": metrics.service, "error": type(error).__name__},
            )
        await asyncio.sleep(every)


async def look(store: Store, runners: Mapping[str, ConsumerRunner], metrics: Metrics) -> None:
    """Set every gauge once."""
    metrics.set_consumer_gauge("outbox_age_seconds", RELAY, await outbox_age(store))
    waits, gaps = await counted(store, "parked"), await counted(store, "parked", status=ParkedStatus.GAP)
    dead = await counted(store, "dead", status=DeadStatus.OPEN)
    # `metrics.consumers` adds those that had a value before: one that is not set again would stay at it.
    for consumer in {*runners, *waits, *dead, *metrics.consumers} - {RELAY}:
        metrics.set_consumer_gauge("parked", consumer, waits.get(consumer, 0))
        metrics.set_consumer_gauge("holes", consumer, gaps.get(consumer, 0))  # language: kept (a public metric)
        metrics.set_consumer_gauge("dead", consumer, dead.get(consumer, 0))
    # A copy, since a rebuild adds and removes runners while `behind` is awaited.
    for consumer, runner in list(runners.items()):
        metrics.set_consumer_gauge("lag", consumer, await runner.behind())
    # After a rebuild the generation before has no reader: its last value would stand for ever, and an alert with it.
    for consumer in metrics.consumers - runners.keys():
        metrics.drop_consumer_gauge("lag", consumer)
    ages = await _ages(store)
    for consumer in metrics.consumers - {RELAY}:
        metrics.set_consumer_gauge("parked_age_seconds", consumer, ages.get(consumer, 0.0))
    metrics.set_gauge("relay_held", await sending_relay(store) is not None)
    # Last: a look that fails on the way must not count as one.
    metrics.set_gauge("last_look_timestamp_seconds", now_utc().timestamp())


async def outbox_age(store: Store) -> float:
    """Return the age in seconds of the oldest row that was written after the relay's last save; 0 when there is none."""
    since = await saved_at(store)
    where: Document = {"_id": {"$gt": first_id_of(since)}} if since else {}
    oldest = await store["outbox"].find_one(where, {"_id": 1}, sort=[("_id", 1)])
    return max(0.0, (now_utc() - written_at(oldest["_id"])).total_seconds()) if oldest else 0.0


def written_at(id: str) -> datetime:
    """Return the moment in a UUIDv7."""
    return datetime.fromtimestamp(int(id.replace("-", "")[:12], 16) / 1000, UTC)


async def counted(store: Store, collection: str, **where: Any) -> dict[str, int]:
    """Count the documents of each consumer in a collection; `where` restricts them by field."""
    found = store[collection].aggregate([{"$match": where}, {"$group": {"_id": "$consumer", "n": {"$sum": 1}}}])
    return {each["_id"]: each["n"] async for each in found}


async def _ages(store: Store) -> dict[str, float]:
    """Return the age in seconds of each consumer's oldest event that waits for its own sake, not behind another or a gap."""
    waiting = {"$match": {"status": ParkedStatus.NOT_YET}}
    found = store["parked"].aggregate([waiting, {"$group": {"_id": "$consumer", "since": {"$min": "$since"}}}])
    now = now_utc()
    return {each["_id"]: max(0.0, (now - each["since"]).total_seconds()) async for each in found}
