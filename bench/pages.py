"""`pages_…`: requests per second of an operator's pages at 10 concurrent users, against a bare FastAPI page of the same bytes.

Ours is the one process of `ama up` with people of the pilot in it: token checked, rows read, fragments of siblings fetched, page rendered.
The floor (`bench.bare_page`) is one process that renders a Jinja template, in which each text of our page is a value that is escaped.
Both are read by the same client. On its own engines, in a folder of its own: `ama up` starts them.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from bench.calling import Connection, child
from bench.ground import PROGRAMME, Ground
from bench.harness import Figure, Goal, figure, pairs
from bench.memory import up
from services import programmes
from services.identity.issuer import Issuer
from services.runtime.serving import listen
from services.scenarios.client import ScenarioClient
from services.scenarios.pilot.figures import complete, read_indicators
from services.scenarios.pilot.people import humans
from services.scenarios.pilot.play import play

ENGINES = False
PAGES = {
    "pages_today": "/oggi",
    "pages_people": "/persone",
    "pages_groups": "/gruppi",
    "pages_meetings": "/incontri",
    "pages_figures": "/andamento",
}
GOALS = {name: Goal(0.5, "higher", "requests/s") for name in PAGES}
USERS, SEED = 10, 1991
PLAYED = 120  # people of the pilot
PATIENCE, START = 240.0, 30.0  # seconds


async def measure(ground: Ground, names: list[str]) -> list[Figure]:
    """Measure the pages one after the other."""
    each, rounds = (1, 1) if ground.quick else (30, 5)
    found = []
    async with up(ground.folder / "home") as (_, base):
        issuer = Issuer(ground.folder / "home" / "keys", f"{base}/issuer")
        if not ground.quick:
            await _played(base, issuer)
        token, port = issuer.token("operator", PROGRAMME, "operator-1"), urlsplit(base).port or 0
        bytes_of = {name: await _page(port, token, PAGES[name]) for name in names}
        async with _bare(ground, bytes_of) as bare:
            for name in names:
                ground.note(f"{name}: {PAGES[name]}, {len(bytes_of[name]):,} bytes")

                async def ours(path: str = PAGES[name]) -> float:
                    return await _rate(port, token, path, each)

                async def floor(path: str = f"/{name}") -> float:
                    return await _rate(bare, token, path, each * 2)

                found.append(figure(name, GOALS[name], *await pairs(ours, floor, rounds, ground.note)))
    return found


async def _played(base: str, issuer: Issuer) -> None:
    """Play people of the pilot, so that the pages have something to show."""
    rules = programmes.load_all(None)[PROGRAMME]
    people = humans(rules, SEED)[:PLAYED]

    def token_of(role: str, who: str, partner: str | None) -> str:
        return issuer.token(role, PROGRAMME, who, partner)

    async with ScenarioClient(base, token_of, rules, SEED, lambda *_: None) as stage:
        await play(stage, people)
        async with asyncio.timeout(PATIENCE):
            while not complete(await read_indicators(stage), people):
                await asyncio.sleep(0.5)


async def _page(port: int, token: str, path: str) -> bytes:
    connection = await Connection.to(port, token)
    try:
        return (await connection("GET", path)).body
    finally:
        connection.close()


async def _rate(port: int, token: str, path: str, each: int) -> float:
    """Return the requests per second of all users, each of whom asks so many times, once the answer before is there."""
    users = [await Connection.to(port, token) for _ in range(USERS)]

    async def asks(user: Connection) -> None:
        for _ in range(each):
            await user("GET", path)

    await asyncio.gather(*(user("GET", path) for user in users))
    began = time.perf_counter()
    await asyncio.gather(*(asks(user) for user in users))
    rate = USERS * each / (time.perf_counter() - began)
    for user in users:
        user.close()
    return rate


@asynccontextmanager
async def _bare(ground: Ground, pages: dict[str, bytes]) -> AsyncIterator[int]:
    """Run the floor. Yields its port once it answers each page with the same bytes. RuntimeError when it does not."""
    folder = ground.folder / "bare"
    folder.mkdir()
    for name, body in pages.items():
        (folder / f"{name}.html").write_bytes(body)
    listening = listen(0)
    port = listening.getsockname()[1]
    listening.close()
    with child([sys.executable, "-m", "bench.bare_page", str(folder), str(port)], Path(f"{folder}.log")) as alive:
        async with asyncio.timeout(START):
            while not await _answers(port):
                alive()
                await asyncio.sleep(0.1)
        for name, body in pages.items():
            if await _page(port, "", f"/{name}") != body:
                raise RuntimeError(f"The floor does not give the bytes of {PAGES[name]}.")
        yield port


async def _answers(port: int) -> bool:
    try:
        (await asyncio.open_connection("127.0.0.1", port))[1].close()
    except OSError:
        return False
    return True
