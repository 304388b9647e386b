"""Dependencies of routes: `Run`, which runs the caller's command, and `Reader`, which reads the caller's programme. A page behind a
personal link makes its own with `run_for`.

Invariant: both know who calls, so that a route cannot act in, or read of, another programme than the caller's.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Annotated, Any, Concatenate, ParamSpec, Protocol, TypeVar

from fastapi import Depends, Header, Request

from services import web
from services.contracts.enrolment import Purpose
from services.events.inbox.projections import Order, ReadModels
from services.identity import auth
from services.kernel import Aggregate, Command, new_id
from services.programmes import Programme
from services.store.answers import Repeat
from services.store.commands import Commanding, Handler
from services.store.consents import Consents, consenting_in, consents_of
from services.store.mongo import Document, Store
from services.store.people import known
from services.store.work import Work
from services.web.request_headers import KEY, TAGS

P = ParamSpec("P")
R = TypeVar("R")
MOST = 1_000  # rows that a page counts


class Serving(Protocol):
    """The part of a service that its routes use, as `request.app.state.service`."""

    rules: Mapping[str, Programme]
    commanding: Commanding
    read_models: ReadModels
    store: Store


class Runner:
    """Runs the caller's command in the caller's programme, once for each Idempotency-Key."""

    def __init__(self, request: Request, who: auth.Who, key: str | None, if_match: str | None) -> None:
        self._service: Serving = request.app.state.service
        self._request, self._who, self._key, self._if_match = request, who, key, if_match
        self._commanding: Commanding = self._service.commanding.on_behalf_of(who.subject, who.role, who.name or "")

    @property
    def rules(self) -> Programme:
        """The programme of the caller."""
        return self._service.rules[self._who.programme]

    async def __call__(
        self,
        handler: Handler[Any],
        command: Command,
        edits: tuple[type[Aggregate], str] | None = None,
    ) -> Any:
        """Run a handler and return its answer. `edits` is the aggregate of If-Match."""
        who, repeat, expects = self._who, None, None
        if self._key is not None:
            route = f"{self._request.method} {self._request.url.path}"
            caller = f"{who.role}/{who.partner}/{who.subject}"
            # Scoped to caller, route and body: the same key, chosen by another caller, must not give this answer.
            scope = f"{caller}\n{route}\n{self._key}"
            repeat = Repeat(who.programme, scope, await self._request.body(), self._named())
        # `*` matches every version (RFC 9110, section 13.1.1), so there is none to compare.
        if self._if_match is not None and edits is not None and self._if_match.strip() != "*":
            expects = (*edits, web.version_of(self._if_match))
        # An id of ours, never the caller's X-Request-ID: events are kept for ever, and are open to every service.
        return await self._commanding.run(handler, command, self.rules, new_id(), repeat=repeat, expects=expects)

    def _named(self) -> frozenset[str]:
        """Return the persons whom caller and path name, by whom an erasure finds the stored answer."""
        path = {each for name, each in self._request.path_params.items() if name in auth.PEOPLE_IN_PATH}
        return frozenset(path | ({self._who.subject} if self._who.role is auth.Role.WORKER else set()))

    def once(self, key: str | None) -> "Runner":
        """Return a runner for one submission of a form: sent twice with this key, done once. None: no key."""
        return Runner(self._request, self._who, key, self._if_match)

    def seen(self, version: str) -> "Runner":
        """Return a runner for a form that shows this version, as If-Match does for a program. Anything else than a number is stale."""
        return Runner(self._request, self._who, self._key, f'"{version}"')

    async def query(
        self, handler: Callable[Concatenate[Work, P], Awaitable[R]], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """The answer of a read, which changes nothing and is not stored for repeats."""
        return await self._commanding.query(handler, self.rules, *args, **kwargs)


def run_for(request: Request, worker: str, programme: str) -> Runner:
    """The runner of a page behind a personal link, which stands for this worker."""
    # No key of the form itself: a second submission has no further effect, so nothing of a form has to be kept.
    return Runner(request, auth.Who(auth.Role.WORKER, worker, programme), None, None)


class Reading:
    """Reads projections of the caller's programme."""

    def __init__(self, request: Request, who: auth.Who) -> None:
        self._service: Serving = request.app.state.service
        self._commanding: Commanding = self._service.commanding.on_behalf_of(who.subject, who.role)
        self.programme = who.programme

    @property
    def rules(self) -> Programme:
        """The programme of the caller."""
        return self._service.rules[self.programme]

    async def rows(self, projection: str, where: Document | None = None, limit: int | None = None) -> list[Document]:
        """Read the live rows of a projection, in the order of their keys, at most `limit`."""
        found: list[Document] = []
        # The programme comes last in the filter, so that no `where` of a route can replace it.
        async for row in self._service.read_models.rows(projection, {**(where or {}), "programme": self.programme}):
            found.append(row)
            if limit is not None and len(found) == limit:
                break
        return found

    async def page(
        self, projection: str, where: Document, order: Order, skip: int = 0, limit: int = 20
    ) -> list[Document]:
        """Read some live rows of a projection, in the order of these fields; `-field` means the largest first."""
        own = {**where, "programme": self.programme}
        return await self._service.read_models.page(projection, own, order, skip, limit)

    async def count(self, projection: str, where: Document, most: int = MOST) -> int:
        """Count live rows of a projection, and no more than `most`, so that a page costs the same however many there are."""
        return await self._service.read_models.count(projection, {**where, "programme": self.programme}, most)

    async def row(self, projection: str, key: str) -> Document | None:
        """Read one live row of a projection by its key."""
        return await self._service.read_models.row(projection, f"{self.programme}/{key}")

    async def knows(self, person: str) -> bool:
        """Tell if this service has heard of a person of the caller's programme."""
        return await known(self._service.store, self.programme, person)

    async def consents(self, people: Collection[str]) -> dict[str, Consents]:
        """Return the consents of these people, as the gate knows them; without a decision when none is known."""
        return await consents_of(self._service.store, self.programme, people)

    async def consenting(self, purpose: Purpose) -> frozenset[str]:
        """Return the people who consent to this purpose and to participate. An erased person has no consents any more."""
        return await consenting_in(self._service.store, self.programme, purpose)

    async def note_accesses(self, people: Iterable[str], purpose: str) -> None:
        """Note that the caller reads data of these people, before they do."""
        await self._commanding.note(self.programme, people, purpose)

    async def accesses(self, person: str) -> list[Document]:
        """Read the log of accesses to a person's data, oldest first."""
        found = self._service.store["access"].find({"programme": self.programme, "person": person}).sort("_id", 1)
        return [document async for document in found]


async def _runner(
    request: Request,
    who: Annotated[auth.Who, Depends(auth.caller)],
    idempotency_key: Annotated[str | None, Header(pattern=KEY, description="sent twice, done once")] = None,
    if_match: Annotated[str | None, Header(pattern=TAGS, description="the ETag that was read; 412 when stale")] = None,
) -> Runner:
    """Make the runner. A coroutine, since FastAPI would call the class itself in a thread."""
    return Runner(request, who, idempotency_key, if_match)


async def _reading(request: Request, who: Annotated[auth.Who, Depends(auth.caller)]) -> Reading:
    return Reading(request, who)


Run = Annotated[Runner, Depends(_runner)]
Reader = Annotated[Reading, Depends(_reading)]
