"""The route that counts who names which entry of a programme in this service."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Protocol

from fastapi import APIRouter

from services.identity.auth import Role, Who, allowed
from services.programmes import Programme, Uses
from services.store.commands import Commanding
from services.store.work import Work

Administrator = Annotated[Who, allowed(Role.ADMINISTRATOR)]
Count = Callable[[Work], Awaitable[Uses]]


class Named(Protocol):
    """The parts of a service that are needed here."""

    rules: Mapping[str, Programme]
    commanding: Commanding


def uses_route(service: Named, count: Count | None) -> APIRouter:
    """Return the route. `count` None: nothing of a programme is named in this service."""
    router = APIRouter(tags=["programme"])

    @router.get("/programme/uses")
    async def uses(who: Administrator) -> Uses:
        """Count the things that name each entry of the caller's programme here, by part and id."""
        return {} if count is None else await service.commanding.query(count, service.rules[who.programme])

    return router
