"""Invitations to surveys that open on a day without any other event: a background task finds them, a command invites.

Invariant: any number of copies may run the task at once, since the command decides on the state that the survey has then.
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
EVERY = 60.0  # seconds between searches
AT_ONCE = 200  # surveys of one command, which is one transaction


async def invite_when_due(service: Service) -> None:
    """Search every programme once a minute, for as long as the service runs. Waits while the database is away."""
    while True:
        try:
            for rules in service.rules.values():
                await invite_open(service, rules, now_utc())
        except (PyMongoError, Unavailable) as error:
            if not (isinstance(error, Unavailable) or is_transient(error)):
                raise
            log.warning("invitations wait", extra={"service": service.name, "error": type(error).__name__})
        await asyncio.sleep(EVERY)


async def invite_open(service: Service, rules: Programme, now: datetime) -> None:
    """Invite to every planned survey of this programme that is open at that time."""
    last = (rules.day_of(now) + NOTICE).isoformat()
    where = {"programme": rules.id, "state.status": Status.PLANNED.value, "state.due": {"$lte": last}}
    found = service.store[Survey.noun].find(where, projection=["state.id"]).sort("_id", 1)
    surveys = [each["state"]["id"] async for each in found]
    for start in range(0, len(surveys), AT_ONCE):
        command = InviteDue(surveys=tuple(surveys[start : start + AT_ONCE]))
        await service.do(invite_due, command, rules.id)
