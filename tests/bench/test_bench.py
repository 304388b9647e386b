"""Every figure of the bench can be measured and is written as measured. Speed itself is not tested here."""

import asyncio
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.__main__ import write
from bench.harness import Figure
from services.engines import Engines

GOALS = {
    "relay": (0.5, "higher"),
    "reaction": (10, "higher"),
    "reaction_batch": (0.6, "higher"),
    "rebuild": (0.6, "higher"),
    "growth": (0.9, "higher"),
    "commands": (0.6, "higher"),
    "latency_p50": (1.5, "lower"),
    "latency_p99": (3, "lower"),
    "memory": (300, "lower"),
    "formation_placed": (1.0, "higher"),
    "formation_violations": (0, "lower"),
    "formation_overrun": (1.05, "lower"),
    "formation_90": (1.0, "higher"),
    "formation_900": (0.30, "lower"),
    "formation_3000": (0.40, "lower"),
    "formation_growth": (1.5, "lower"),
    "formation_10000": (1024, "lower"),
}


def test_figures_that_are_not_taken_again_stay_as_they_were_written(tmp_path: Path) -> None:
    written = tmp_path / "figures.json"
    first = Figure("formation_90", 1.0, 2.0, 1.0, "higher", "")
    write([first, Figure("relay", 1.0, 2.0, 0.5, "higher", "events/s")], written)
    write([Figure("rebuild", 3.0, 4.0, 0.6, "higher", "events/s"), replace(first, value=2.0)], written)
    assert [(each["name"], each["value"]) for each in json.loads(written.read_text())] == [
        ("relay", 1.0),
        ("rebuild", 3.0),
        ("formation_90", 2.0),
    ]


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
        assert set(each) == {"name", "value", "floor", "ratio", "goal", "better", "unit"}
        assert each["value"] > 0 or each["name"] == "formation_violations"
        assert each["ratio"] == pytest.approx(each["value"] / each["floor"], rel=0.01)
