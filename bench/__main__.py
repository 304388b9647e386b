"""The command `python -m bench [NAME …] [--quick] [--json FILE]`, which `make bench` runs."""

import importlib
import logging
import signal
import tempfile
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from bench import record
from bench.ground import Ground, ground
from bench.harness import Figure
from services.runtime.serving import settle

BENCHES = ("relay", "reaction", "rebuild", "commands", "latency", "memory", "pages", "formation.figures")


def main(
    names: Annotated[list[str] | None, typer.Argument(help="Figures to measure; default: all.")] = None,
    quick: Annotated[bool, typer.Option(help="Run with a few events each; the figures mean nothing.")] = False,
    to: Annotated[
        Path | None,
        typer.Option(
            "--json",
            help="File for the figures; default, unless --quick: bench/latest.json, and a line in bench/history.jsonl.",
        ),
    ] = None,
) -> None:
    """Measure, print a table, and write the figures to a JSON file."""
    logging.basicConfig(level=logging.ERROR)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # so that nothing is left running
    # Before the measurement: a commit that is made meanwhile is not what is measured.
    commit, console = record.commit_of(record.HERE), Console(stderr=True)
    figures = uvloop.run(measured(names or [], quick, console))
    if to is not None:
        record.write(figures, order(), commit, to)
    elif not quick:
        keep(figures, commit, console)
    Console().print(table(figures))


async def measured(names: list[str], quick: bool, console: Console) -> list[Figure]:
    """The figures of these names, in the order of the benches."""
    modules = {each: importlib.import_module(f"bench.{each}") for each in BENCHES}
    if unknown := set(names) - {name for module in modules.values() for name in module.GOALS}:
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: no such figure.")
    figures: list[Figure] = []
    wanted = {bench: [name for name in module.GOALS if not names or name in names] for bench, module in modules.items()}
    apart = [bench for bench in BENCHES if wanted[bench] and not getattr(modules[bench], "ENGINES", True)]
    if on_engines := [bench for bench in BENCHES if wanted[bench] and bench not in apart]:
        async with ground(quick, console.log) as here:
            settle()
            for bench in on_engines:
                console.rule(bench)
                figures += await modules[bench].measure(here, wanted[bench])
                await here.clean()
    for bench in apart:
        console.rule(bench)
        with tempfile.TemporaryDirectory(prefix="ama-bench-") as folder:
            figures += await modules[bench].measure(Ground({}, Path(folder), quick, console.log), wanted[bench])
    return figures


def keep(figures: list[Figure], commit: str | None, console: Console) -> None:
    """Write the figures to bench/latest.json and bench/history.jsonl, unless they belong to no commit."""
    if commit is None:
        console.print("Not written to bench/: the working tree has changes that are not committed.")
        return
    record.append(figures, commit, record.HISTORY)
    if older := record.write(figures, order(), commit, record.LATEST):
        console.print(f"Left out of latest.json, since they are of an earlier commit: {', '.join(older)}.")


def order() -> list[str]:
    """The names of all figures, as they stand in the files."""
    return [name for each in BENCHES for name in importlib.import_module(f"bench.{each}").GOALS]


def table(figures: list[Figure]) -> Table:
    """The figures as a table for the terminal."""
    shown = Table("figure", "ours", "bare floor", "ratio", "goal", "")
    for each in figures:
        sign = "≥" if each.better == "higher" else "≤"
        shown.add_row(
            each.name,
            f"{each.value:,.1f} {each.unit}",
            f"{each.floor:,.1f} {each.unit}",
            f"{each.ratio:.2f}",
            f"{sign} {each.goal:g}",
            "reached" if each.reached else "missed",
        )
    return shown


if __name__ == "__main__":
    typer.run(main)
