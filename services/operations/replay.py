"""Replay after a restore: the service applies its own events since the backup to the state that lacks them.

Invariants: no event is recorded; each event is applied once; replay ends before any role of the service starts. Data that is in no event
(a name, an answer) stays lost; the report of the restore lists it.
"""

import logging
from functools import partial

from services.contracts import decode
from services.events.delivery.declare import Reactions
from services.events.inbox.effects import Opened
from services.kernel import NotYet
from services.runtime.service import Service
from services.store.clock import now_utc
from services.store.mongo import Document, Transaction, UpdateOne
from services.store.outbox import Cause
from services.store.unit import Unit
from services.store.work import Work

log = logging.getLogger(__name__)


async def replay(table: Reactions, service: Service) -> None:
    """Apply to each subject the events that its state lacks, in order. A subject stays as it is if a sealed event has no key."""
    async for each in service.store["recalled"].find({"lost.type": {"$in": list(table.handlers)}}):
        try:
            await service.store.transaction(partial(_replay_subject, table, service, each))
        # The start goes on: one person whose key is missing must not keep everybody's service down.
        except NotYet as missing:
            log.warning("state is not mended", extra={"service": service.name, "reason": str(missing)})


async def _replay_subject(table: Reactions, service: Service, recalled: Document, transaction: Transaction) -> None:
    store, rules = service.store, service.rules.get(recalled["programme"])
    # With AMA_ONLY another deployment serves this programme.
    if rules is None:
        return
    ids = [lost["id"] for lost in recalled["lost"] if lost["type"] in table.handlers]
    unit = Unit(store, transaction, service.holder, now_utc())
    rows = (await store.by_id("outbox", ids, transaction)).values()
    # `by_id` returns the rows in no order.
    events = [decode(each["value"]) for each in sorted(rows, key=lambda each: each["sequence"])]
    opening = Opened(unit, table.handlers)
    await opening.prepare(events)
    for event in events:
        if (opened := await opening.opened(event)) is not None:
            cause = Cause(rules.id, event.time, event.correlationid or event.id, event.id)
            for handler in table.handlers[event.type]:
                await handler(opened, Work(unit, rules, cause))
    await unit.flush(silently=True)  # the events are on the bus already
    # In the transaction of the effects, so that a replay that was interrupted applies no event twice.
    taken = {"$pull": {"lost": {"id": {"$in": ids}}}}
    await store.write("recalled", [UpdateOne({"_id": recalled["_id"]}, taken)], transaction)
