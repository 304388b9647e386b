"""`memory` and `idle`: MB that the single process of `ama up` holds after the pilot, and its CPU while nobody asks for anything, in percent
of one core; both without engines. Their floors are 1 MB and 1 %, so the ratio is the figure.

The 899 people of JOBS II are played from here, through the public port, so that the player is no part of it. On its own engines, in a
folder of its own: `ama up` starts them.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.calling import AMA, child, cpu, resident
from bench.ground import PROGRAMME, Ground
from bench.harness import Figure, Goal, figure
from services import programmes
from services.identity.issuer import Issuer
from services.scenarios.client import ScenarioClient
from services.scenarios.pilot.figures import complete, read_indicators
from services.scenarios.pilot.people import humans
from services.scenarios.pilot.play import play

GOALS = {"memory": Goal(300, "lower", "MB"), "idle": Goal(12, "lower", "%")}
SEED = 1991
START, PATIENCE = 240.0, 240.0  # seconds
QUIET, IDLE = 15.0, 60.0  # seconds until the last effects are over, and of the measurement of `idle`


async def measure(ground: Ground, names: list[str]) -> list[Figure]:
    """Measure resident MB once the last figure of the pilot has arrived, and then the CPU of a process that waits."""
    rules = programmes.load_all(None)[PROGRAMME]
    people = humans(rules, SEED)
    async with up(ground.folder / "home") as (pid, base):
        issuer = Issuer(ground.folder / "home" / "keys", f"{base}/issuer")

        def token_of(role: str, who: str, partner: str | None) -> str:
            return issuer.token(role, PROGRAMME, who, partner)

        async with ScenarioClient(base, token_of, rules, SEED, lambda *_: None) as stage:
            if ground.quick:
                await read_indicators(stage)
            else:
                await play(stage, people)
                async with asyncio.timeout(PATIENCE):
                    while not complete(await read_indicators(stage), people):
                        await asyncio.sleep(0.5)
        found = {"memory": resident(pid)}
        if "idle" in names:
            found["idle"] = await _idle(pid, *((0.0, 2.0) if ground.quick else (QUIET, IDLE)))
    return [figure(name, GOALS[name], found[name], 1.0) for name in names]


async def _idle(pid: int, quiet: float, seconds: float) -> float:
    """Measure the CPU of a process in percent of one core."""
    await asyncio.sleep(quiet)
    began, used = time.perf_counter(), cpu(pid)
    await asyncio.sleep(seconds)
    return 100 * (cpu(pid) - used) / (time.perf_counter() - began)


@asynccontextmanager
async def up(data: Path) -> AsyncIterator[tuple[int, str]]:
    """Run `ama up` on engines of its own. Yields its process id and its address."""
    with child([str(AMA), "up", "--data", str(data), "--port", "0"], data.with_suffix(".log")) as alive:
        async with asyncio.timeout(START):
            while not (run := await asyncio.to_thread(_text_of, data / "run.json")):
                alive()
                await asyncio.sleep(0.2)
        yield alive(), json.loads(run)["base"]


def _text_of(where: Path) -> str:
    return where.read_text() if where.exists() else ""
