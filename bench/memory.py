"""`memory`: MB that the single process of `ama up` holds after the pilot, without engines. Its floor is 1 MB, so the ratio is the figure.

The 899 people of JOBS II are played from here, through the public port, so that the player is no part of it. On its own engines, in a
folder of its own: `ama up` starts them.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.calling import AMA, child, resident
from bench.ground import PROGRAMME, Ground
from bench.harness import Figure, Goal, figure
from services import programmes
from services.identity.issuer import Issuer
from services.scenarios.client import ScenarioClient
from services.scenarios.pilot.figures import complete, read_indicators
from services.scenarios.pilot.people import humans
from services.scenarios.pilot.play import play

GOALS = {"memory": Goal(300, "lower", "MB")}
SEED = 1991
START, PATIENCE = 120.0, 120.0  # seconds


async def measure(ground: Ground, names: list[str]) -> list[Figure]:  # noqa: ARG001  # there is one
    """Measure resident MB once the last figure of the pilot has arrived."""
    rules = programmes.load_all(None)[PROGRAMME]
    people = humans(rules, SEED)
    async with _up(ground.folder / "home") as (pid, base):
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
        held = resident(pid)
    return [figure("memory", GOALS["memory"], held, 1.0)]


@asynccontextmanager
async def _up(data: Path) -> AsyncIterator[tuple[int, str]]:
    """Run `ama up` on engines of its own. Yields its process id and its address."""
    with child([str(AMA), "up", "--data", str(data), "--port", "0"], data.with_suffix(".log")) as alive:
        async with asyncio.timeout(START):
            while not (run := await asyncio.to_thread(_text_of, data / "run.json")):
                alive()
                await asyncio.sleep(0.2)
        yield alive(), json.loads(run)["base"]


def _text_of(where: Path) -> str:
    return where.read_text() if where.exists() else ""
