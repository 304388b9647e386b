"""Commands at the boundary: one transaction each, run once however often it is sent, refused when its aggregate changed meanwhile.

Invariants: the state change, its events, the notes of accesses and the answer to repeats commit together; what a refusal or a query read
of people is noted before it is answered; a stored answer holds ids, never names; a command cannot have happened in the future.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC
from functools import wraps
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from services.kernel import CLOCKS, Aggregate, Command, NotYet, Refusal, Refused, Unavailable, new_id
from services.programmes import Programme
from services.store.accesses import Accesses, Caller
from services.store.answers import PURPOSE, Answer, Repeat
from services.store.clock import now_utc
from services.store.errors import Conflict, is_transient
from services.store.mongo import PyMongoError, Store, Transaction, within
from services.store.noting import Noting
from services.store.outbox import Cause
from services.store.unit import Unit
from services.store.work import Work
from services.telemetry import Metrics, Telemetry
from services.vault.keyring import KeyHolder

C = TypeVar("C", bound=Command)
P = ParamSpec("P")
R = TypeVar("R")
Handler = Callable[[C, Work], Awaitable[Any]]
Expectation = tuple[type[Aggregate], str, int]  # class, id, version
PATIENCE = 8.0  # seconds in which a command is tried again
LONGEST = 20.0  # seconds after which a caller is asked to come again, whatever the database does
SHORT = 2.0  # seconds more, when all threads of the driver are busy and the command has not even begun


@dataclass(frozen=True, slots=True)
class Invocation(Generic[C]):
    """One command to run. `correlation`: our id of the caller's request; `expects`: the version that the caller has seen; `accesses`: what
    is read of people for the caller, if there is one; `stores`: False for a query."""

    handler: Handler[C]
    command: C
    rules: Programme
    correlation: str
    repeat: Repeat | None
    expects: Expectation | None
    accesses: Accesses | None
    stores: bool = True


@dataclass(frozen=True, slots=True)
class Commanding:
    """Runs the commands of one service. `caller`: the one who gets the answers; None when it is the service itself."""

    store: Store
    holder: KeyHolder
    telemetry: Telemetry
    metrics: Metrics
    noting: Noting
    caller: Caller | None = None

    def on_behalf_of(self, who: str, role: str, name: str = "") -> "Commanding":
        """Return the same for this caller: what is read of people for them is noted in these people's logs of accesses."""
        return replace(self, caller=Caller(who, role, name))

    async def run(
        self,
        handler: Handler[C],
        command: C,
        rules: Programme,
        correlation: str,
        *,
        repeat: Repeat | None = None,
        expects: Expectation | None = None,
    ) -> Any:
        """Return the handler's answer. Refused as the handler says, or "changed-meanwhile" when `expects` names another version than
        is stored. Unavailable when an engine does not answer, or something needed has not arrived."""
        accesses = self._accesses(rules.id)
        return await self._run(Invocation(handler, command, rules, correlation, repeat, expects, accesses))

    async def _run(self, request: Invocation[Any]) -> Any:
        async def body(transaction: Transaction) -> tuple[Any, int]:
            return await self._attempt(transaction, request)

        name = request.handler.__name__
        with self.telemetry.span(name), self._counted(name):
            try:
                async with _in_time():
                    answer, events = await self.store.transaction(body, PATIENCE)
            except Refused:
                # Its transaction is aborted, and the refusal tells of what it read.
                await self._note(request.accesses)
                raise
            if not request.stores:
                # In a transaction of its own, which is short: a write to the key of one of 900 people would repeat the whole read.
                await self._note(request.accesses)
            # After the commit, because the body may have run several times.
            self.metrics.recorded(events)
            return answer

    def _accesses(self, programme: str) -> Accesses | None:
        return Accesses(self.caller, programme) if self.caller is not None else None

    async def note(self, programme: str, people: Iterable[str], purpose: str) -> None:
        """Note that the caller reads data of these people of a programme, before they do."""
        accesses = self._accesses(programme)
        if accesses is not None:
            for person in people:
                accesses.add(person, purpose)
        await self._note(accesses)

    async def _note(self, accesses: Accesses | None) -> None:
        """Write the notes. Unavailable when they cannot be stored: then the caller gets no answer."""
        if accesses:
            async with _in_time():
                await self.noting.write(accesses)

    @contextmanager
    def _counted(self, name: str) -> Iterator[None]:
        """Count the command by its outcome."""
        outcome = "failed"
        try:
            yield
            outcome = "done"
        except Refused as refused:
            outcome = refused.code
            raise
        except Unavailable:
            outcome = "unavailable"
            raise
        finally:
            self.metrics.commanded(name, outcome)

    async def query(
        self, handler: Callable[Concatenate[Work, P], Awaitable[R]], rules: Programme, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """The answer of a read, from one snapshot; the notes of accesses commit before it is given. Refused or Unavailable as `run`;
        ChangedByQuery when it changed an aggregate."""

        @wraps(handler)
        async def read(_: Command, work: Work) -> R:
            answer = await handler(work, *args, **kwargs)
            if not work.untouched:
                raise ChangedByQuery(f"{handler.__name__} changed an aggregate")
            return answer

        accesses = self._accesses(rules.id)
        answer: R = await self._run(Invocation(read, Command(), rules, new_id(), None, None, accesses, stores=False))
        return answer

    async def _attempt(self, transaction: Transaction, request: Invocation[Any]) -> tuple[Any, int]:
        """Run the handler once; return its answer and the number of events."""
        now, command, repeat = now_utc(), request.command, request.repeat
        if command.at is not None and command.at > now + CLOCKS:
            raise Refused(
                "in-the-future", f"`at` is {command.at.isoformat()}, which has not come yet.", Refusal.INVALID
            )
        # Before the version is compared: the first run has changed it, and a repeat must get its answer.
        if repeat is not None and (known := await self._known(repeat, transaction)) is not None:
            return known.answer, 0
        at = min(command.at.astimezone(UTC), now) if command.at else now
        cause = Cause(request.rules.id, at, request.correlation, None, self.telemetry.traceparent())
        # Made anew for each attempt: an aborted one holds state that was never stored.
        unit = Unit(self.store, transaction, self.holder, now)
        work = Work(unit, request.rules, cause, request.accesses, request.handler.__name__)
        if request.expects is not None:
            await _expect(work, *request.expects)
        answer = await request.handler(command, work)
        unit.attribute(work.cause)
        if repeat is not None:
            await self._keep(repeat, answer, unit)
        if request.accesses and request.stores:
            await request.accesses.write(self.store, transaction, now)
        return answer, await unit.flush()

    async def _keep(self, repeat: Repeat, answer: Any, unit: Unit) -> None:
        """Keep the answer for repeats, with everybody whom it concerns."""
        secret = self.holder.secrets(PURPOSE)[0]
        people = sorted(repeat.about | unit.people)
        # The guard makes this transaction conflict with an erasure that does not see the answer. Whoever was erased is not named again.
        about = [each for each in people if await unit.keys.guard(repeat.programme, each)]
        kept = Answer(repeat.id(secret), repeat.programme, repeat.digest(secret), answer, unit.now, about)
        # In the same transaction: after a crash between two of them, a repeat would run the command again.
        await unit.write(Answer.collection, [kept.insert()])

    async def _known(self, repeat: Repeat, transaction: Transaction) -> Answer | None:
        # An answer of before a rotation of the master key has the id that the older key gives it.
        secrets = {repeat.id(each): each for each in self.holder.secrets(PURPOSE)}
        found = await self.store.by_id(Answer.collection, list(secrets), transaction)
        for known in map(Answer.of, found.values()):
            if known.erased:
                raise Refused("erased", "This was done. A person whom it concerned was erased since.", Refusal.GONE)
            if known.body != repeat.digest(secrets[known.id]):
                raise Refused("key-reused", "This Idempotency-Key was used for another request.", Refusal.INVALID)
            return known
        return None


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    """Limit what the block asks of MongoDB, and turn what is worth another try of the caller into Unavailable."""
    try:
        # `within` limits statements. The outer limit also ends a command that still waits for a thread.
        async with asyncio.timeout(LONGEST + SHORT):
            with within(LONGEST):
                yield
    except NotYet as missing:
        # Nothing retries a command, unlike an event: its caller has to.
        raise Unavailable(f"Still waiting for {missing}.") from missing
    except (PyMongoError, Conflict, TimeoutError) as error:
        # A defect must not look like an engine that is away, or the caller would come again for ever.
        if not (isinstance(error, TimeoutError) or is_transient(error)):
            raise
        raise Unavailable("The database does not answer, or too many requests change the same data.") from error


class ChangedByQuery(Exception):
    """A defect: a query changed an aggregate. Nothing is stored."""


async def _expect(work: Work, kind: type[Aggregate], id: str, version: int) -> None:
    stored = work.version(await work.get(kind, id))
    if stored != version:
        raise Refused("changed-meanwhile", f"It is at version {stored}, not {version}. Read it again.", Refusal.STALE)
