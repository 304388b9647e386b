"""`commands`: per second through HTTP at 32 connections, against the bare transactions with the same writes at the same concurrency.

Ours is `ama serve enrolment` with the role `api`, asked to note a consent: token checked, body checked, the worker read, decided and
written, and the event with it. The floor makes the same two writes of documents that ours wrote, in 32 transactions at a time.
Each round has people of its own, and notes four consents of each: a worker keeps all consents, and hundreds would be nobody's history.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from bench.calling import Connection, issuing, serving
from bench.ground import PROGRAMME, Ground
from bench.harness import Figure, Goal, figure, pairs
from services.kernel import new_id
from services.settings import Settings
from services.store.mongo import Document, Store

GOALS = {"commands": Goal(0.50, "higher", "commands/s")}
CONNECTIONS = 32
CONSENTS = 4  # of each person
THEN = "1991-05-06T14:00:00Z"  # in the programme's intake
CARD = {"given_name": "Ada", "family_name": "Prova", "language": "it"}


async def measure(ground: Ground, names: list[str]) -> list[Figure]:  # noqa: ARG001  # there is one
    """Measure commands per second."""
    each, rounds = (4, 1) if ground.quick else (100, 7)  # `each`: commands of a connection
    async with AsyncExitStack() as held:
        issuer = await held.enter_async_context(issuing(ground))
        settings = ground.settings(issuer=issuer.url)
        port = (await held.enter_async_context(serving(ground, settings, "enrolment", "api"))).port
        token = issuer.token("operator", PROGRAMME, "operator-1")
        async with connected(port, token) as callers:
            workers = await asyncio.gather(*(refer(caller) for caller in callers))
            await asyncio.gather(*(consent(callers[at], workers[at], 1) for at in range(CONNECTIONS)))
        bare = await _Bare.of(settings, ground.settings(), workers)

        async def ours() -> float:
            async with connected(port, token) as callers:
                people = await asyncio.gather(*(referred(caller, each // CONSENTS) for caller in callers))
                return await _rate(lambda at, nth: consent(callers[at], people[at][nth // CONSENTS], nth + 1), each)

        async def floor() -> float:
            return await _rate(lambda at, nth: bare.once(at), each)  # noqa: ARG005

        found = await pairs(ours, floor, rounds, ground.note)
        await bare.store.close()
    return [figure("commands", GOALS["commands"], *found)]


@asynccontextmanager
async def connected(port: int, token: str) -> AsyncIterator[list[Connection]]:
    """Open the connections that the goal names. They are new each time, since a server closes idle ones."""
    callers = [await Connection.to(port, token) for _ in range(CONNECTIONS)]
    yield callers
    for caller in callers:
        caller.close()


async def _rate(act: Callable[[int, int], Awaitable[None]], each: int) -> float:
    async def many(at: int) -> None:
        for nth in range(each):
            await act(at, nth)

    began = time.perf_counter()
    await asyncio.gather(*(many(at) for at in range(CONNECTIONS)))
    return CONNECTIONS * each / (time.perf_counter() - began)


async def refer(caller: Connection) -> str:
    made = await caller("POST", "/enrolment/referrals", {"partner": "mesc-east", "person": CARD, "at": THEN})
    return str(json.loads(made.body)["worker"])


async def referred(caller: Connection, number: int) -> list[str]:
    return [await refer(caller) for _ in range(number)]


async def consent(caller: Connection, worker: str, number: int) -> None:
    body = {"consents": {"research": number % 2 == 0}, "notice": "1991-03", "language": "en"}
    await caller("POST", f"/enrolment/workers/{worker}/consents", body)


@dataclass
class _Bare:
    """The documents that ours wrote, and the store into which they are written again."""

    store: Store
    workers: list[Document]
    outbox_row: Document

    @classmethod
    async def of(cls, ours: Settings, other: Settings, workers: list[str]) -> "_Bare":
        theirs, store = Store(ours.mongo, ours.database_of("enrolment")), Store(other.mongo, other.database_of("bare"))
        documents = [await theirs["worker"].find_one({"_id": f"{PROGRAMME}/{worker}"}) for worker in workers]
        outbox_row = await theirs["outbox"].find_one({"key": workers[0], "sequence": 2})
        await theirs.close()
        await store["worker"].insert_many(documents)
        await store["outbox"].create_index([("sequence", 1), ("_id", 1)])
        return cls(store, documents, outbox_row)

    async def once(self, at: int) -> None:
        before = self.workers[at]
        after = {**before, "version": before["version"] + 1}
        async with await self.store.db.client.start_session() as session, session.start_transaction():
            await self.store["worker"].replace_one(
                {"_id": before["_id"], "version": before["version"]}, after, session=session
            )
            await self.store["outbox"].insert_one({**self.outbox_row, "_id": new_id()}, session=session)
        self.workers[at] = after
