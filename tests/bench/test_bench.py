"""Every figure of the bench can be measured and is written as measured. Speed itself is not tested here."""

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.__main__ import order
from bench.harness import Figure
from bench.record import LATEST, append, commit_of, write
from services.engines import Engines

GOALS = {
    "relay": (0.6, "higher"),
    "reaction": (10, "higher"),
    "reaction_batch": (0.5, "higher"),
    "rebuild": (0.65, "higher"),
    "growth": (0.9, "higher"),
    "commands": (0.5, "higher"),
    "latency_p50": (2.3, "lower"),
    "latency_p99": (4, "lower"),
    "latency_p50_10": (2.3, "lower"),
    "memory": (300, "lower"),
    "idle": (12, "lower"),
    "pages_today": (0.5, "higher"),
    "pages_people": (0.5, "higher"),
    "pages_groups": (0.5, "higher"),
    "pages_meetings": (0.5, "higher"),
    "pages_figures": (0.5, "higher"),
    "formation_placed": (1.0, "higher"),
    "formation_violations": (0, "lower"),
    "formation_overrun": (1.05, "lower"),
    "formation_90": (1.0, "higher"),
    "formation_900": (0.30, "lower"),
    "formation_3000": (0.40, "lower"),
    "formation_growth": (1.5, "lower"),
    "formation_10000": (1024, "lower"),
}


FIRST = Figure("formation_90", 1.0, 2.0, 1.0, "higher", "")
RELAY = Figure("relay", 1.0, 2.0, 0.5, "higher", "events/s")


def rows(written: Path) -> list[tuple[str, float, str | None]]:
    return [(each["name"], each["value"], each["commit"]) for each in json.loads(written.read_text())]


def test_figures_of_the_same_commit_that_are_not_taken_again_stay(tmp_path: Path) -> None:
    written = tmp_path / "figures.json"
    write([FIRST, RELAY], order(), "abc", written)
    assert (
        write([Figure("rebuild", 3.0, 4.0, 0.6, "higher", ""), replace(FIRST, value=2.0)], order(), "abc", written)
        == []
    )
    assert rows(written) == [("relay", 1.0, "abc"), ("rebuild", 3.0, "abc"), ("formation_90", 2.0, "abc")]


@pytest.mark.parametrize(("before", "now"), [("abc", "def"), ("abc", None), (None, "abc"), (None, None)])
def test_figures_of_another_commit_or_of_none_do_not_stay_beside_new_ones(
    tmp_path: Path, before: str | None, now: str | None
) -> None:
    written = tmp_path / "figures.json"
    write([FIRST, RELAY], order(), before, written)
    assert write([replace(FIRST, value=2.0)], order(), now, written) == ["relay"]
    assert rows(written) == [("formation_90", 2.0, now)]


def test_the_history_keeps_what_each_run_measured(tmp_path: Path) -> None:
    for commit in ("abc", "def"):
        append([FIRST, RELAY], commit, tmp_path / "history.jsonl")
    kept = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert [(each["commit"], [row["name"] for row in each["figures"]]) for each in kept] == [
        (commit, ["formation_90", "relay"]) for commit in ("abc", "def")
    ]


def test_figures_belong_to_a_commit_only_without_other_changes(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        return subprocess.check_output(["git", *identity, *arguments], cwd=tmp_path, text=True)

    assert commit_of(tmp_path) is None
    git("init", "--quiet")
    (tmp_path / "bench").mkdir()
    for name in ("latest.json", "history.jsonl", "code.py"):
        (tmp_path / "bench" / name).write_text("1")
    git("add", ".")
    git("commit", "--quiet", "-m", "x")
    (tmp_path / "bench" / "latest.json").write_text("2")
    assert commit_of(tmp_path / "bench") == git("rev-parse", "HEAD")[:12]
    (tmp_path / "bench" / "code.py").write_text("2")
    assert commit_of(tmp_path / "bench") is None


def test_every_row_of_the_latest_figures_is_of_one_commit() -> None:
    latest = json.loads(LATEST.read_text())
    assert len({each.get("commit") for each in latest}) == 1
    assert {each["name"] for each in latest} <= {*order()}


@pytest.mark.timeout(300)
@pytest.mark.long
async def test_every_figure_is_taken_and_written_down(engines: Engines, tmp_path: Path) -> None:
    named = {"AMA_KAFKA": engines.kafka, "AMA_MONGO": engines.mongo}
    if engines.sasl is not None:
        named |= {"AMA_SASL_USERNAME": engines.sasl.username, "AMA_SASL_PASSWORD": engines.sasl.password}
    path = tmp_path / "figures.json"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench", "--quick", "--json", str(path)),
        cwd=Path(__file__).parents[2],
        env={**os.environ, **named},
    )
    assert await process.wait() == 0
    figures = json.loads(path.read_text())
    assert {each["name"]: (each["goal"], each["better"]) for each in figures} == GOALS
    for each in figures:
        assert set(each) == {"name", "value", "floor", "ratio", "goal", "better", "unit", "commit"}
        assert each["value"] > 0 or each["name"] == "formation_violations"
        assert each["ratio"] == pytest.approx(each["value"] / each["floor"], rel=0.01)
