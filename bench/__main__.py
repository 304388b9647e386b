"""The command `python -m bench [NAME …] [--quick] [--json FILE]`, which `make bench` runs."""

import importlib
import json
import logging
import signal
import tempfile
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from bench.ground import Ground, ground
from bench.harness import Figure
from services.runtime.serving import settle

BENCHES = ("relay", "reaction", "rebuild", "commands", "latency", "memory", "formation.figures")
HERE = Path(__file__).parent


def main(
    names: Annotated[list[str] | None, typer.Argument(help="Figures to measure; default: all.")] = None,
    quick: Annotated[bool, typer.Option(help="Run with a few events each; the figures mean nothing.")] = False,
    to: Annotated[
        Path | None, typer.Option("--json", help="File for the figures; default, unless --quick: bench/latest.json.")
    ] = None,
) -> None:
    """Measure, print a table, and write the figures to a JSON file."""
    logging.basicConfig(level=logging.ERROR)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # so that nothing is left running
    figures = uvloop.run(measured(names or [], quick, Console(stderr=True)))
    if to is not None or not quick:
        write(figures, to or HERE / "latest.json")
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


def write(figures: list[Figure], to: Path) -> None:
    """Write each figure in its place. Figures of an earlier run that this one does not take stay."""
    modules = [importlib.import_module(f"bench.{each}") for each in BENCHES]
    known = {each["name"]: each for each in (json.loads(to.read_text()) if to.exists() else ())}
    known |= {each.name: each.document() for each in figures}
    ordered = [known[name] for module in modules for name in module.GOALS if name in known]
    to.write_text(json.dumps(ordered, indent=1) + "\n")


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
