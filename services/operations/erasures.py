"""Erasures that a restore brought back: the rules of a service empty its aggregates of these people, before any role starts.

Invariant: each erasure is applied once, in one transaction with the note that it is done. What a handler records here, and the bus has
already, is not sent again (`services.store.restored`).
"""

import logging
from functools import partial

from services.contracts import Event, decode
from services.contracts.enrolment import WorkerErased
from services.contracts.topics import source_of
from services.events.inbox.gate import Gated, GateEffect
from services.kernel import NotYet, new_id
from services.runtime.service import Service
from services.store.clock import now_utc
from services.store.mongo import Document, Transaction
from services.store.restored import RestoreState, settle_erasure
from services.store.unit import Unit

log = logging.getLogger(__name__)


async def erase_restored(service: Service) -> None:
    """Run the handlers of the service for every erasure that its restored database does not show yet."""
    found = await service.store[RestoreState.collection].find_one()
    for each in RestoreState.of(found).erasures if found else ():
        if each["person"].partition("/")[0] in service.rules:  # with AMA_ONLY another deployment serves the others
            try:
                await service.store.transaction(partial(_erase, service, each))
            # The start goes on: the service takes the event itself later, and tries again.
            except NotYet as missing:
                log.warning("erasure is not settled", extra={"service": service.name, "reason": str(missing)})


async def _erase(service: Service, each: Document, transaction: Transaction) -> None:
    unit = Unit(service.store, transaction, service.holder, now_utc())
    effect = GateEffect(
        service.store,
        transaction,
        unit,
        service.gate,
        service.rules,
        service.read_models,
        service.telemetry,
        alone=False,
    )
    event = _event(each)
    erasure = Gated(event.type, event.programme, event.subject, event.time, event.sequence, event, event.id)
    await effect.prepare([erasure])
    await effect.keep(erasure)
    await effect.handle(erasure)
    # As live, where a handler may keep what another service published.
    await unit.flush(silently=True)
    await service.store.write(RestoreState.collection, [settle_erasure(each["person"])], transaction)


def _event(each: Document) -> Event[object]:
    """Return the erasure as it is on the bus; else, known from a register alone, one that happens now."""
    if each["event"] is not None:
        return decode(each["event"])
    programme, _, person = each["person"].partition("/")
    now = now_utc()
    return Event(
        id=new_id(),
        source=source_of(programme, WorkerErased.topic),
        type=WorkerErased.type,
        subject=person,
        time=now,
        recordedtime=now,
        sequence=1,
        data={},
    )
