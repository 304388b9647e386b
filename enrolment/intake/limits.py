"""Limits of requests on the public page, and the end of links that nobody used."""

import asyncio
import logging

from enrolment.domain import Asking
from enrolment.intake.commands import EndAsking, end_asking
from services.identity.attempts import Attempts
from services.kernel import Unavailable
from services.runtime.service import Service
from services.store.clock import now_utc
from services.store.errors import is_transient
from services.store.mongo import PyMongoError

log = logging.getLogger(__name__)
EVERY = 60.0  # seconds between two looks
AT_ONCE = 100  # links that are ended at one look


async def prepare_limits(service: Service) -> None:
    """Let the pages count requests by network and address: each waits longer after some, in all copies together."""
    attempts = Attempts(service.store, service.holder.secrets("asking")[0])
    await attempts.prepare()
    service.app.state.asking = attempts


async def end_unused(service: Service) -> None:
    """Look for links that have ended, and forget their addresses."""
    while True:
        try:
            await end_some(service)
        except (Unavailable, PyMongoError) as error:
            if isinstance(error, PyMongoError) and not is_transient(error):
                raise
            log.warning("requests wait", extra={"service": service.name, "error": type(error).__name__})
        await asyncio.sleep(EVERY)


async def end_some(service: Service) -> None:
    """End some of the links whose time is over."""
    where = {"programme": {"$in": sorted(service.rules)}, "state.ended": False, "state.until": {"$lte": now_utc()}}
    found = service.store[Asking.noun].find(where, {"programme": 1, "state.id": 1}).limit(AT_ONCE)
    async for each in found:
        await service.do(end_asking, EndAsking(asking=each["state"]["id"]), each["programme"])
