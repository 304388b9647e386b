"""The background task that says merges whose day is over.

Invariant: each is said in a transaction of its own, by the command that decides anew; any number of copies may look at once.
"""

from collections.abc import Sequence
from datetime import datetime

from enrolment.duplicates.commands import EndMerged, end_merged
from enrolment.duplicates.queries import due
from services.programmes import Programme
from services.runtime.recurring import in_parts, look_again_and_again
from services.runtime.service import Service


async def end_those_due(service: Service, rules: Programme, now: datetime) -> None:
    """Say every merge of this programme that is due at that time."""

    async def end(some: Sequence[str]) -> None:
        for each in some:
            await service.do(end_merged, EndMerged(worker=each), rules.id)

    await in_parts(service, await due(service.store, rules.id, now), end)


async def end_merged_when_due(service: Service) -> None:
    """Say merges for as long as the service runs."""
    await look_again_and_again(service, end_those_due)
