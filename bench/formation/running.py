"""Runs the engine on planted problems, one after another, and has the checker judge each answer.

Invariant: only the groups of an answer are trusted. Placed, diversity, bound and violations are the checker's; seconds and memory are
the clock's and the kernel's. The engine has one core: it runs alone, and nothing in it may use a second thread.
"""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.formation.generator import FAMILIES, Family, plant
from grouping.formation.checking import check
from grouping.formation.measuring import Measured, false_claims, measure
from grouping.formation.model import Answer

ALONE = {"NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
PATIENCE = 900.0  # seconds beyond those that were granted


@dataclass(frozen=True)
class Task:
    """A planted problem and the seconds to solve it in."""

    number: int
    seed: int
    seconds: float
    family: Family = "zero_slack"


@dataclass(frozen=True)
class Run:
    """The result of a task. `planted`: people whom the planted answer places, the most possible. `busy`: seconds on a core."""

    task: Task
    planted: int
    measured: Measured
    violations: tuple[str, ...]
    seconds: float
    busy: float
    megabytes: float

    def line(self) -> str:
        """One line for the terminal."""
        task, found = self.task, self.measured
        return (
            f"{task.family} {task.number:,} seed {task.seed}: placed {found.placed:,} of {self.planted:,}, "
            f"gap {found.gap:.3%}, {len(self.violations)} violations, "
            f"{self.seconds:.1f} s of {task.seconds:g} ({self.busy:.1f} on a core), {self.megabytes:.0f} MB"
        )


async def run(task: Task, folder: Path) -> Run:
    """Plant the problem, solve it in a process of its own, judge the answer. RuntimeError when the process fails."""
    planted = plant(task.number, task.seed, task.family)
    where = folder / f"{task.family}-{task.number}-{task.seed}.json"
    where.write_text(planted.problem.model_dump_json(by_alias=True))
    told = json.loads(await _child(where, task))
    where.unlink()
    answer = Answer.model_validate(told["answer"])
    problem = planted.problem
    wrong = (*check(problem, answer), *false_claims(problem, answer))  # what it claims falsely is a violation too
    placed = sum(len(group.members) for group in planted.answer.groups)
    return Run(task, placed, measure(problem, answer), wrong, told["seconds"], told["busy"], told["megabytes"])


async def warm(folder: Path) -> None:
    """Let the engine compile and fill its cache, which is done once on a machine."""
    for family in FAMILIES:
        await run(Task(90, 0, 1.0, family), folder)


async def _child(problem: Path, task: Task) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.formation.child", str(problem), str(task.seed), str(task.seconds)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **ALONE},
        cwd=Path(__file__).parents[2],
    )
    try:
        async with asyncio.timeout(task.seconds + PATIENCE):
            told, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise RuntimeError(f"{task}: {complaints.decode()[-2000:]}")
    return told
