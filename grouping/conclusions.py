"""Conclusions of groups whose last meeting is past: a background task finds them, a command concludes.

Invariant: nothing waits for it. Whether a group holds its facilitator and its room follows from its days alone.
"""

from datetime import datetime

from grouping.domain import Group, State
from grouping.fitting import is_over
from grouping.membership.commands import ConcludeOver, conclude_over
from services.programmes import Programme
from services.runtime.recurring import look_again_and_again
from services.runtime.service import Service


async def conclude_when_over(service: Service) -> None:
    """Conclude groups for as long as the service runs."""
    await look_again_and_again(service, conclude_those_over)


async def conclude_those_over(service: Service, rules: Programme, now: datetime) -> None:
    """Conclude every group of this programme whose last meeting is past at that time, each in a transaction of its own."""
    where = {"programme": rules.id, "state.state": State.FORMED.value}
    found = [Group.model_validate(each["state"]) async for each in service.store[Group.noun].find(where)]
    for each in found:
        if is_over(each, rules, rules.day_of(now)):
            await service.do(conclude_over, ConcludeOver(group=each.id), rules.id)
