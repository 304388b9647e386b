"""Invitations to surveys that open on a day without any other event: a background task finds them, a command invites.

Invariants: any number of copies may run the task at once, since the command decides on the state that the survey has then; a survey to
which nobody can be invited keeps no other invitation back, and does not end the task.
"""

from collections.abc import Sequence
from datetime import datetime

from services.programmes import Programme
from services.runtime.recurring import in_parts, look_again_and_again
from services.runtime.service import Service
from sessions.commands import InviteDue, invite_due
from sessions.domain import NOTICE, Status, Survey

AT_ONCE = 200  # surveys of one command, which is one transaction


async def invite_when_due(service: Service) -> None:
    """Invite for as long as the service runs."""
    await look_again_and_again(service, invite_open)


async def invite_open(service: Service, rules: Programme, now: datetime) -> None:
    """Invite to every planned survey of this programme that is open at that time."""
    last = (rules.day_of(now) + NOTICE).isoformat()
    where = {"programme": rules.id, "state.status": Status.PLANNED.value, "state.due": {"$lte": last}}
    found = service.store[Survey.noun].find(where, projection=["state.id"]).sort("_id", 1)
    surveys = [each["state"]["id"] async for each in found]

    async def invite(some: Sequence[str]) -> None:
        await service.do(invite_due, InviteDue(surveys=tuple(some)), rules.id)

    for start in range(0, len(surveys), AT_ONCE):
        await in_parts(service, surveys[start : start + AT_ONCE], invite)
