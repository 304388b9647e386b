"""A command at the boundary: one transaction, done once however often it is sent, refused when somebody changed things meanwhile.

Invariants: the state change, its events and the answer to repeats commit together; what is kept of an answer is ids, never names; a
command cannot have happened in the future.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from services.kernel import Aggregate, Command, NotYet, Refusal, Refused, Unavailable, new_id
from services.programmes import Programme
from services.store.clock import now_utc
from services.store.errors import Conflict, is_transient
from services.store.mongo import Document, InsertOne, PyMongoError, Session, Store, within
from services.store.unit import Cause, Unit
from services.store.work import Work
from services.telemetry import Metrics, Telemetry
from services.vault.keyring import KeyHolder

C = TypeVar("C", bound=Command)
P = ParamSpec("P")
R = TypeVar("R")
Handler = Callable[[C, Work], Awaitable[Any]]
REMEMBERED = timedelta(days=30)
PATIENCE = 8.0  # seconds in which a command is tried again
LONGEST = 20.0  # seconds after which a caller is told to come again, whatever is going on
SHORT = 2.0  # seconds more when the driver's threads are short, and nobody has even begun to ask


@dataclass(frozen=True, slots=True)
class Repeat:
    """What a repeat is recognised by: the caller, the route and the key they chose; `body` tells whether it is the same request."""

    id: str
    body: str

    @classmethod
    def of(cls, programme: str, caller: str, route: str, key: str, body: bytes) -> "Repeat":
        """Hashed, since a route names people."""
        scope = f"{programme}\n{caller}\n{route}\n{key}".encode()
        return cls(f"{programme}/{hashlib.sha256(scope).hexdigest()}", hashlib.sha256(body).hexdigest())


@dataclass(frozen=True, slots=True)
class Commanding:
    """Runs commands of one service."""

    store: Store
    holder: KeyHolder
    telemetry: Telemetry
    metrics: Metrics

    async def run(
        self,
        handler: Handler[C],
        command: C,
        rules: Programme,
        correlation: str,
        *,
        repeat: Repeat | None = None,
        expects: tuple[type[Aggregate], str, int] | None = None,
    ) -> Any:
        """The handler's answer. Refused as the handler says, or 412 when `expects` names another version than is stored; Unavailable
        when an engine or something that is still on its way is missing."""

        async def body(session: Session) -> tuple[Any, int]:
            return await self._attempt(session, handler, command, rules, correlation, repeat, expects)

        outcome = "failed"
        with self.telemetry.span(handler.__name__):
            try:
                async with asyncio.timeout(LONGEST + SHORT):
                    with within(LONGEST):
                        answer, said = await self.store.transaction(body, PATIENCE)
            except Refused as error:
                outcome = error.code
                raise
            except NotYet as missing:
                outcome = "unavailable"
                raise Unavailable(f"Still waiting for {missing}.") from missing
            except (PyMongoError, Conflict, TimeoutError) as error:
                if not (isinstance(error, TimeoutError) or is_transient(error)):
                    raise
                outcome = "unavailable"
                raise Unavailable("The database does not answer, or too many change the same thing.") from error
            else:
                outcome = "done"
                self.metrics.said(said)
                return answer
            finally:
                self.metrics.commanded(handler.__name__, outcome)

    async def query(
        self, handler: Callable[Concatenate[Work, P], Awaitable[R]], rules: Programme, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """The answer of a read, from one snapshot; what it writes to access logs commits first. Refused or Unavailable as `run`;
        ChangedByQuery when it changed an aggregate."""

        @wraps(handler)
        async def read(_: Command, work: Work) -> R:
            answer = await handler(work, *args, **kwargs)
            if not work.untouched:
                raise ChangedByQuery(f"{handler.__name__} changed an aggregate")
            return answer

        answer: R = await self.run(read, Command(), rules, new_id())
        return answer

    async def _attempt(
        self,
        session: Session,
        handler: Handler[C],
        command: C,
        rules: Programme,
        correlation: str,
        repeat: Repeat | None,
        expects: tuple[type[Aggregate], str, int] | None,
    ) -> tuple[Any, int]:
        now = now_utc()
        if command.at is not None and command.at > now:
            raise Refused(
                "in-the-future", f"`at` is {command.at.isoformat()}, which has not come yet.", Refusal.INVALID
            )
        if repeat is not None and (known := await self._known(repeat, session)) is not None:
            return known["answer"], 0
        at = command.at.astimezone(UTC) if command.at else now
        cause = Cause(rules.id, at, correlation, None, self.telemetry.traceparent())
        unit = Unit(self.store, session, self.holder, now)
        work = Work(unit, rules, cause)
        if expects is not None:
            await _expect(work, *expects)
        answer = await handler(command, work)
        unit.attribute(work.cause)
        if repeat is not None:
            entry = {"_id": repeat.id, "programme": rules.id, "body": repeat.body, "answer": answer, "at": now}
            await self.store.write("answers", [InsertOne(entry)], session)
        return answer, await unit.flush()

    async def _known(self, repeat: Repeat, session: Session) -> Document | None:
        known = (await self.store.by_id("answers", [repeat.id], session)).get(repeat.id)
        if known is not None and known["body"] != repeat.body:
            raise Refused("key-reused", "This Idempotency-Key was used for another request.", Refusal.INVALID)
        return known


class ChangedByQuery(Exception):
    """A defect: a query changed an aggregate. Nothing is stored."""


async def _expect(work: Work, kind: type[Aggregate], id: str, version: int) -> None:
    stored = work.version(await work.get(kind, id))
    if stored != version:
        raise Refused("changed-meanwhile", f"It is at version {stored}, not {version}. Read it again.", Refusal.STALE)
