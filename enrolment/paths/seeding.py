"""Services of the programme's file come into the catalogue, at the start and when another version of the programme is published.

Invariant: a service that the catalogue has, or had, is left alone: its own pages change it.
"""

from datetime import datetime

from enrolment.domain import OfferedService
from enrolment.paths.commands import SeedService, seed_service
from services.contracts.paths import ServiceRegistered
from services.programmes import Programme
from services.runtime.recurring import look_again_and_again
from services.runtime.service import Service
from services.store.clock import now_utc


async def seed_at_start(service: Service) -> None:
    """Bring the services of every programme that is served into its catalogue."""
    for rules in list(service.rules.values()):
        await seed(service, rules, now_utc())


async def keep_seeding(service: Service) -> None:
    """Look once a minute for services that a changed file has brought."""
    await look_again_and_again(service, seed)


async def seed(service: Service, rules: Programme, _: datetime) -> None:
    """Add the services that the catalogue of this programme does not have, in one look when there is none."""
    wanted = {f"{rules.id}/{each.id}": each for each in rules.services}
    there = await service.store.by_id(OfferedService.noun, sorted(wanted)) if wanted else {}
    for key, each in wanted.items():
        if key not in there:
            content = ServiceRegistered.model_validate(each.model_dump(exclude={"id"}))
            await service.do(seed_service, SeedService(service=each.id, content=content), rules.id)
