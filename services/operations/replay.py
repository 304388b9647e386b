"""What a restored service had done by commands since its backup, done to its state again, as far as its own events tell it.

Invariants: nothing is said; each event is taken once; all of it comes before any role of the service begins. What the events do not tell
(a name, an answer) stays lost, and is in the restore's report.
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


async def recall(table: Reactions, service: Service) -> None:
    """Give each subject the events that its state lacks, in their order. Without the key of a sealed one, its subject stays as it is."""
    async for each in service.store["recalled"].find({"lost.type": {"$in": list(table.handlers)}}):
        try:
            await service.store.transaction(partial(_recall, table, service, each))
        except NotYet as missing:
            log.warning("state is not mended", extra={"service": service.name, "reason": str(missing)})


async def _recall(table: Reactions, service: Service, recalled: Document, transaction: Transaction) -> None:
    store, rules = service.store, service.rules.get(recalled["programme"])
    if rules is None:
        return
    ids = [said["id"] for said in recalled["lost"] if said["type"] in table.handlers]
    unit = Unit(store, transaction, service.holder, now_utc())
    letters = (await store.by_id("outbox", ids, transaction)).values()
    events = [decode(each["value"]) for each in sorted(letters, key=lambda each: each["sequence"])]
    opening = Opened(unit, table.handlers)
    await opening.prepare(events)
    for event in events:
        if (opened := await opening.opened(event)) is not None:
            cause = Cause(rules.id, event.time, event.correlationid or event.id, event.id)
            for handler in table.handlers[event.type]:
                await handler(opened, Work(unit, rules, cause))
    await unit.flush(silently=True)
    taken = {"$pull": {"lost": {"id": {"$in": ids}}}}
    await store.write("recalled", [UpdateOne({"_id": recalled["_id"]}, taken)], transaction)
