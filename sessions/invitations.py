"""Surveys that become due while nothing else happens: found day by day, and invited by a command.

Any number of copies may do this beside each other; the command decides, on the survey as it then is.
"""

import asyncio
import logging
from datetime import datetime

from services.kernel import Unavailable
from services.programmes import Programme
from services.runtime.service import Service
from services.store.clock import now_utc
from services.store.errors import is_transient
from services.store.mongo import PyMongoError
from sessions.commands import InviteDue, invite_due
from sessions.domain import NOTICE, Status, Survey

log = logging.getLogger(__name__)
EVERY = 60.0  # seconds between looks
AT_ONCE = 200  # surveys of one command


async def invite(service: Service) -> None:
    """Look for every programme, for as long as the service runs."""
    while True:
        try:
            for rules in service.rules.values():
                await invite_all(service, rules, now_utc())
        except (PyMongoError, Unavailable) as error:
            if not (isinstance(error, Unavailable) or is_transient(error)):
                raise
            log.warning("invitations wait", extra={"service": service.name, "error": type(error).__name__})
        await asyncio.sleep(EVERY)


async def invite_all(service: Service, rules: Programme, now: datetime) -> None:
    """Everything of this programme that is open now."""
    last = (rules.day_of(now) + NOTICE).isoformat()
    where = {"programme": rules.id, "state.status": Status.PLANNED.value, "state.due": {"$lte": last}}
    found = service.store[Survey.noun].find(where, projection=["state.id"]).sort("_id", 1)
    surveys = [each["state"]["id"] async for each in found]
    for start in range(0, len(surveys), AT_ONCE):
        command = InviteDue(surveys=tuple(surveys[start : start + AT_ONCE]))
        await service.do(invite_due, command, rules.id)
