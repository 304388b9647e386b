"""`ama pilot`: real people, played through the services that run here."""

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from services.embedded.home import Home

app = typer.Typer(no_args_is_help=True, help="Play the people of a study through the public interfaces.")
HERE = Path(".ama")
ALL = 899  # people of the study


@app.callback()
def pilots() -> None:
    """Play the people of a study through the public interfaces."""


@app.command()
def jobs2(
    data: Annotated[Path, typer.Option("--data", help="Folder that holds everything.", envvar="AMA_DATA")] = HERE,
    port: Annotated[int, typer.Option(help="Port of the services on 127.0.0.1; 0 takes a free one.")] = 8000,
    seed: Annotated[int, typer.Option(help="What the open data does not have is drawn with it.")] = 1991,
    people: Annotated[
        int, typer.Option(min=60, max=ALL, help="Only the first so many of the 899, for a quick look.")
    ] = ALL,
    leave: Annotated[bool, typer.Option("--exit", help="End afterwards instead of staying up.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """The 899 people of the JOBS II field experiment: 600 seated in groups, 299 waiting, asked before and after.

    Starts everything here (as `ama up` does), and plays them one request per human act. Played again on the same data, it goes on where
    it stopped and doubles nobody.
    """
    import uvloop

    uvloop.run(_jobs2(data, port, seed, people, leave, as_json))


async def _jobs2(data: Path, port: int, seed: int, people: int, leave: bool, as_json: bool) -> None:
    from services.cli.run import addresses, log_to, until_told
    from services.embedded.home import Home
    from services.runtime.serving import settle
    from services.scenarios.pilot.figures import figures_of

    log_to(data)
    console = Console(stderr=True)
    async with Home(data, port=port, console=console) as home:
        settle()
        home.signing_in.prefer("jobs2")
        began = time.monotonic()
        indicators = await _played(home, seed, people, console)
        seconds = round(time.monotonic() - began, 1)
        figures = figures_of(indicators) | {"events": await _events(home), "seconds": seconds}
        if as_json:
            sys.stdout.write(json.dumps(figures) + "\n")
        else:
            Console().print(_table(figures))
        if not leave:
            console.print(addresses(home.addresses()))
            console.print("Everything stays up. Ctrl-C ends it.")
            await until_told([home.ended()])


async def _played(home: "Home", seed: int, first: int, console: Console) -> dict[str, Any]:
    """Play what was not played yet; the indicators when they say that everything arrived."""
    from services.scenarios.pilot.figures import complete, read_indicators
    from services.scenarios.pilot.people import DRAWN, humans
    from services.scenarios.pilot.play import Stage, play
    from services.settings import Misconfigured

    rules = home.house.services["analytics"].rules["jobs2"]
    people = humans(rules, seed)[:first]
    columns = (TextColumn("{task.description:>20}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        tasks: dict[str, TaskID] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=total)
            progress.update(tasks[stage], completed=done, total=total)

        def token_of(role: str, subject: str, partner: str | None) -> str:
            return home.token(role, "jobs2", subject, partner)

        async with Stage(home.base, token_of, rules, seed, report) as stage:
            indicators = await read_indicators(stage)
            if complete(indicators, people):
                console.print("These people were played already, all of them: nothing is done twice.")
                return indicators
            if indicators["referred"] > first:
                raise Misconfigured(
                    f"{indicators['referred']} people are here already: play as many, or take another folder."
                )
            console.print(f"Drawn, since the open data does not have it: {', '.join(DRAWN)}.")
            await play(stage, people)

            async def arrived() -> bool:
                return complete(await read_indicators(stage), people)

            await stage.until("the figures are complete", arrived)
            return await read_indicators(stage)


async def _events(home: "Home") -> int:
    """How many events were said, over all services (compacted records are none)."""
    where = {"programme": "jobs2", "topic": {"$nin": ["ama.enrolment.keys", "ama.enrolment.contacts"]}}
    counts = [await service.store["outbox"].count_documents(where) for service in home.house.services.values()]
    return sum(counts)


def _table(figures: dict[str, Any]) -> Table:
    table = Table("what", "figure", title="JOBS II, from events alone")
    for name in ("referred", "admitted", "seated", "waiting", "took_part"):
        table.add_row(name.replace("_", " "), str(figures[name]))
    sizes = figures["groups"]
    table.add_row("groups", f"{len(sizes)}, of {min(sizes)} to {max(sizes)}" if sizes else "none")
    for wave, means in figures["means"].items():
        table.add_row(
            f"depression at {wave} (1-5, lower is better)",
            ", ".join(f"{who} {mean:.4f}" for who, mean in means.items()),
        )
    table.add_row("events", str(figures["events"]))
    table.add_row("seconds", str(figures["seconds"]))
    return table
