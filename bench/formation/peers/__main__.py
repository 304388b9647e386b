"""`python -m bench.formation.peers [N …]`: compares groups that other programs form of the same people. They take attributes alone.

Each peer runs in an environment of its own (`build/peers`, made here at the versions of requirements.lock), on one core, and gets a CSV.
The checker measures the diversity of its groups, and counts those that could meet: there is a slot, a place and a facilitator for all
members. Invariant: a peer that takes no limit and needs more than the granted seconds is ended, and shown as that.
"""

import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bench.formation.generator import Planted, plant
from bench.formation.reference import Cell, cells, cpsat, may_come
from bench.formation.running import ALONE
from grouping.formation import solve
from grouping.formation.measuring import measure
from grouping.formation.model import Answer, Group, Problem

HERE = Path(__file__).parent
HOME = HERE.parents[2] / "build" / "peers"
PEERS = ("anti-clustering exchange", "anti-clustering annealing", "anti-clustering tabu", "team-formation")
SEED = 1
Groups = Sequence[Sequence[str]]  # ids of members


@dataclass(frozen=True)
class Row:
    """The result of one peer. `diversity` is None when it was ended."""

    people: int
    who: str
    diversity: float | None
    below_bound: float | None
    can_meet: float | None
    seconds: float


def main(
    numbers: Annotated[list[int] | None, typer.Argument(help="Of people.")] = None,
    seconds: Annotated[float, typer.Option(help="Granted to each.")] = 60,
    to: Annotated[Path, typer.Option("--json", help="Where it is written.")] = HERE / "latest.json",
) -> None:
    """Form the same groups with each, and print a table."""
    os.environ.update(ALONE)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # what is started from here stays on that core too
    python = _environment()
    rows: list[Row] = []
    shown = Table("people", "who", "diversity", "below the bound", "groups that can meet", "seconds")
    for planted in (plant(number, SEED) for number in numbers or (90, 300, 900)):
        for row in _rows(planted, python, seconds):
            rows.append(row)
            shown.add_row(*_cells(row))
            Console(stderr=True).log(*_cells(row))
    to.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    Console().print(shown)


def _cells(row: Row) -> list[str]:
    if row.diversity is None or row.below_bound is None or row.can_meet is None:
        return [str(row.people), row.who, "no answer", "", "", f"> {row.seconds:.0f}"]
    part = f"{row.below_bound:.2%}", f"{row.can_meet:.0%}"
    return [str(row.people), row.who, f"{row.diversity:.4f}", *part, f"{row.seconds:.1f}"]


def _environment() -> Path:
    """The peers at their locked versions. Made once, renewed when the lock changed."""
    python, lock, made = HOME / "bin" / "python", HERE / "requirements.lock", HOME / "made"
    if not made.exists() or made.stat().st_mtime < lock.stat().st_mtime:
        uv = str(Path(sys.executable).with_name("uv"))
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(HOME)], check=True)
        subprocess.run([uv, "pip", "sync", "--quiet", "--python", str(python), str(lock)], check=True)
        made.touch()
    return python


def _rows(planted: Planted, python: Path, seconds: float) -> Iterable[Row]:
    problem = planted.problem
    number = len(planted.answer.groups)
    granted = 5.0 if len(problem.people) <= 90 else 30.0
    yield _row(problem, "this engine, with every rule", lambda: _members(solve(problem, SEED, seconds=granted)))
    alone = "CP-SAT on counts, attributes alone"
    yield _row(problem, alone, lambda: _members(cpsat(planted, seconds, meeting=False).answer))
    yield _row(problem, "by chance", lambda: _by_chance(problem, number))
    for name in PEERS:
        yield _peer(problem, name, python, number, seconds)


def _members(answer: Answer) -> Groups:
    return [group.members for group in answer.groups]


def _by_chance(problem: Problem, groups: int) -> Groups:
    people = [person.id for person in problem.people]
    random.Random(SEED).shuffle(people)  # noqa: S311
    return [people[at::groups] for at in range(groups)]


def _peer(problem: Problem, name: str, python: Path, groups: int, seconds: float) -> Row:
    with tempfile.NamedTemporaryFile("w", suffix=".csv", newline="") as table:
        csv.writer(table).writerows(_table(problem))
        table.flush()
        command = [str(python), str(HERE / "peer.py"), name, table.name, str(groups), str(seconds)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=2 * seconds + 30)
        except subprocess.TimeoutExpired as ended:
            return Row(len(problem.people), name, None, None, None, ended.timeout)
    told = json.loads(done.stdout.splitlines()[-1])
    members: dict[int, list[str]] = {}
    for person, group in zip(problem.people, told["groups"], strict=True):
        members.setdefault(group, []).append(person.id)
    return _told(problem, name, list(members.values()), told["seconds"])


def _table(problem: Problem) -> Iterable[Iterable[str | int | None]]:
    """Attributes alone; levels of ordinal ones by their place."""
    yield problem.attributes
    for person in problem.people:
        yield [
            attribute.levels.index(str(person.attributes[name]))
            if attribute.kind == "ordinal"
            else person.attributes[name]
            for name, attribute in problem.attributes.items()
        ]


def _row(problem: Problem, who: str, form: Callable[[], Groups]) -> Row:
    began = time.perf_counter()
    groups = form()
    return _told(problem, who, groups, time.perf_counter() - began)


def _told(problem: Problem, who: str, groups: Groups, seconds: float) -> Row:
    slot, place, leader = next(iter(cells(problem)))  # diversity does not ask where they meet
    answer = Answer(
        groups=tuple(
            Group(id=str(number), slot=slot, place=place, facilitator=leader, members=tuple(members))
            for number, members in enumerate(groups)
        ),
        unplaced=(),
    )
    found = measure(problem, answer)
    meet = Counter(_can_meet(problem, members) for members in groups)[True] / len(groups)
    return Row(len(problem.people), who, found.diversity, found.gap, meet, seconds)


def _can_meet(problem: Problem, members: Sequence[str]) -> bool:
    """True when there is a slot and a place, with a facilitator, for all members."""
    people = {each.id: each for each in problem.people}
    seen: set[Cell] = {(slot, place, "") for slot, place, _ in cells(problem)}
    return any(all(may_come(problem, people[id], cell) for id in members) for cell in seen)


if __name__ == "__main__":
    typer.run(main)
