"""Conclusions of groups whose last meeting is past: a background task finds them, a command concludes.

Invariants: a group that cannot be read keeps no other one back. Nothing waits for a conclusion: a group holds its facilitator and its
room by its days alone.
"""

from collections.abc import Sequence
from datetime import datetime

from grouping.domain import Group, State
from grouping.fitting import is_over
from grouping.membership.commands import ConcludeOver, conclude_over
from services.programmes import Programme
from services.runtime.recurring import in_parts, look_again_and_again
from services.runtime.service import Service
from services.store.mongo import Document


async def conclude_when_over(service: Service) -> None:
    """Conclude groups for as long as the service runs."""
    await look_again_and_again(service, conclude_those_over)


async def conclude_those_over(service: Service, rules: Programme, now: datetime) -> None:
    """Conclude every group of this programme whose last meeting is past at that time, each in a transaction of its own."""
    where = {"programme": rules.id, "state.state": State.FORMED.value}
    found = [each["state"] async for each in service.store[Group.noun].find(where)]

    async def conclude(some: Sequence[Document]) -> None:
        for each in some:
            group = Group.model_validate(each)
            if is_over(group, rules, rules.day_of(now)):
                await service.do(conclude_over, ConcludeOver(group=group.id), rules.id)

    await in_parts(service, found, conclude)
