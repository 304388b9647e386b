"""The command `python -m bench.statements`: what one command costs over all five services, in statements, transactions and CPU.

A consent is noted `--rate` times a second. The same services are watched for as long without any command first, and what they did then
is taken off. The counts are MongoDB's own (`serverStatus`), so they include those of every driver and thread. They are lower where a
consumer is so late that it takes several commands in one transaction.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from bench.calling import Connection, Served, cpu, issuing, serving
from bench.commands import CONNECTIONS, connected, consent, refer
from bench.ground import PROGRAMME, Ground, ground
from services.contracts.topics import SERVICES
from services.settings import Settings
from services.store.mongo import Store

ROLES = "api,relay,consume"
SETTLED, AFTER = 8.0, 4.0  # seconds until what referrals, and then the last commands, lead to is done
# A `getMore` waits for new documents, and its number depends on the pause between commands.
NAMED = ("find", "aggregate", "insert", "update", "delete", "findAndModify", "commitTransaction", "abortTransaction")
Counts = Mapping[str, float]


def main(
    services: Annotated[list[str] | None, typer.Argument(help="Services that run; default: all five.")] = None,
    rate: Annotated[float, typer.Option(help="Commands a second; 0: as many as 32 connections get done.")] = 10.0,
    seconds: Annotated[float, typer.Option(help="Duration of each of the two measurements.")] = 20.0,
    roles: Annotated[str, typer.Option(help="Roles of the services.")] = ROLES,
) -> None:
    """Print what a command costs."""
    logging.basicConfig(level=logging.ERROR)
    console = Console(stderr=True)
    counts, number = uvloop.run(_counted(services or list(SERVICES), rate, seconds, roles, console))
    Console().print(_table(counts, number))


async def _counted(
    names: list[str], rate: float, seconds: float, roles: str, console: Console
) -> tuple[dict[str, float], int]:
    async with ground(False, console.log) as here, _running(here, names, roles) as (settings, served, token):
        store, analytics = Store(settings.mongo, "admin"), Store(settings.mongo, settings.database_of("analytics"))
        async with connected(served["enrolment"].port, token) as callers:
            workers = await asyncio.gather(*(refer(caller) for caller in callers))
        # Consumers join their groups late on a busy machine, and what they had not begun would not be counted.
        while "analytics" in names and await analytics["path.g1"].count_documents({}) < len(workers):
            await asyncio.sleep(0.1)
        await asyncio.sleep(SETTLED)

        async def nothing() -> int:
            await asyncio.sleep(seconds + AFTER)
            return 0

        async def commands() -> int:
            async with connected(served["enrolment"].port, token) as callers:
                sent = await _send(callers, workers, rate, seconds)
            await asyncio.sleep(AFTER)
            return sent

        idle, _ = await _difference(store, served, nothing)
        busy, number = await _difference(store, served, commands)
        await store.close()
        await analytics.close()
        return {name: (busy[name] - idle.get(name, 0.0)) / number for name in busy}, number


@asynccontextmanager
async def _running(
    ground: Ground, names: list[str], roles: str
) -> AsyncIterator[tuple[Settings, dict[str, Served], str]]:
    """Run the services. Yields their settings, the processes, and a token."""
    async with AsyncExitStack() as held:
        issuer = await held.enter_async_context(issuing(ground))
        settings = ground.settings(issuer=issuer.url)
        served = {each: await held.enter_async_context(serving(ground, settings, each, roles)) for each in names}
        yield settings, served, issuer.token("operator", PROGRAMME, "operator-1")


async def _send(callers: list[Connection], workers: list[str], rate: float, seconds: float) -> int:
    """Send consents by all connections in turn. Returns their number."""
    loop = asyncio.get_running_loop()
    began, sent = loop.time(), 0

    async def one(at: int) -> None:
        nonlocal sent
        apart = CONNECTIONS / rate if rate else 0.0
        number = 0
        while (due := (at / CONNECTIONS + number) * apart) < seconds and loop.time() - began < seconds:
            await asyncio.sleep(began + due - loop.time())
            await consent(callers[at], workers[at], number)
            number, sent = number + 1, sent + 1

    await asyncio.gather(*(one(at) for at in range(CONNECTIONS)))
    return sent


async def _difference(
    store: Store, served: Mapping[str, Served], act: Callable[[], Awaitable[int]]
) -> tuple[dict[str, float], int]:
    """Return how much each count has grown while `act` ran, and its result."""
    before = await _counts(store, served)
    number = await act()
    after = await _counts(store, served)
    return {name: after[name] - before[name] for name in after}, number


async def _counts(store: Store, served: Mapping[str, Served]) -> Counter[str]:
    status = await store.db.command("serverStatus")
    named = {name: status["metrics"]["commands"][name]["total"] for name in NAMED}
    used = {f"CPU of {name}, ms": 1000 * cpu(each.pid) for name, each in served.items()}
    return Counter({**named, "transactions": status["transactions"]["totalCommitted"], **used})


def _table(counts: Counts, number: int) -> Table:
    shown = Table("for each of", f"{number} commands")
    rows = {
        "statements": sum(counts[name] for name in NAMED),
        **counts,
        "CPU of all, ms": sum(count for name, count in counts.items() if name.startswith("CPU")),
    }
    for name, count in rows.items():
        shown.add_row(name, f"{count:.2f}")
    return shown


if __name__ == "__main__":
    typer.run(main)
