"""`ama pilot`: the people of a real study, played through services that run here."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from services.cli.terminal import Terminal, say

if TYPE_CHECKING:
    from services.embedded.home import Home

app = typer.Typer(no_args_is_help=True, help="Play the people of a study through the public interfaces.")
HERE = Path(".ama")
ALL = 899  # people of the study
MEANINGS = {
    "referred": "people whom a partner referred: as many as are played, 899 in the study",
    "admitted": "of these, admitted by an operator: all of them",
    "seated": "have a seat in a group: those invited to the workshop, 600 in the study",
    "waiting": "have none, as the comparison group: 299 in the study",
    "took_part": "of the seated, came to at least one meeting: 372 in the study",
}
WAVES = {"T0": "before the meetings", "T2": "after them"}


@app.callback()
def pilots() -> None:
    """Play the people of a study through the public interfaces."""


@app.command()
def jobs2(
    data: Annotated[Path, typer.Option("--data", help="Folder that holds everything.", envvar="AMA_DATA")] = HERE,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the services on 127.0.0.1; 0 takes a free one.")
    ] = 8000,
    seed: Annotated[int, typer.Option(help="Seed for what the open data does not have.")] = 1991,
    people: Annotated[int, typer.Option(min=60, max=ALL, help="Play only the first so many of the 899.")] = ALL,
    leave: Annotated[bool, typer.Option("--exit", help="Stop afterwards instead of staying up.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object to standard output.")] = False,
) -> None:
    """Play the 899 people of the JOBS II field experiment: 600 get a seat, 299 wait, all answer a survey before and after.

    Starts everything here, as `ama up` does, and sends one request for each human act. Played again on the same data, it continues where
    it stopped and doubles nobody.
    """
    import uvloop

    uvloop.run(_jobs2(data, port, seed, people, leave, as_json))


async def _jobs2(data: Path, port: int, seed: int, people: int, leave: bool, as_json: bool) -> None:
    from services.cli.run import addresses, log_to, until_stopped
    from services.embedded.home import Home
    from services.runtime.serving import settle
    from services.scenarios.pilot.figures import figures_of

    log_to(data)
    console = Terminal(stderr=True)
    async with Home(data, port=port, console=console) as home:
        settle()
        began = time.monotonic()
        indicators = await _played(home, seed, people, console)
        seconds = round(time.monotonic() - began, 1)
        figures = figures_of(indicators) | {"events": await _events(home), "seconds": seconds}
        if as_json:
            say(json.dumps(figures))
        else:
            Terminal().print(_table(figures))
        if not leave:
            console.print(addresses(home.addresses()))
            console.print("Everything stays up. Ctrl-C stops it.")
            await until_stopped([home.ended()])


async def _played(home: "Home", seed: int, first: int, console: Terminal) -> dict[str, Any]:
    """Play the acts that are missing. Returns the indicators once they show that every act arrived."""
    from services.scenarios.client import ScenarioClient
    from services.scenarios.pilot.figures import complete, read_indicators, seats_given
    from services.scenarios.pilot.figures import progress as progress_of
    from services.scenarios.pilot.people import DRAWN, humans
    from services.scenarios.pilot.play import play
    from services.settings import Misconfigured

    rules = home.all_services.services["analytics"].rules["jobs2"]
    people = humans(rules, seed)[:first]
    columns = (
        TextColumn("{task.description:>20}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        tasks: dict[str, TaskID] = {}

        def report(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = progress.add_task(step, total=total)
            progress.update(tasks[step], completed=done, total=total)

        def token_of(role: str, subject: str, partner: str | None) -> str:
            return home.token(role, "jobs2", subject, partner)

        async with ScenarioClient(home.base, token_of, rules, seed, report) as client:
            indicators = await read_indicators(client)
            if complete(indicators, people):
                console.print("All these people were played already: nothing is done twice.")
                return await read_indicators(client, means=True)
            # With more people than are played, the figures would never be complete, and the wait would end in an error.
            if indicators["referred"] > first:
                raise Misconfigured(
                    f"{indicators['referred']} people are here already: play as many, or choose another folder."
                )
            console.print(f"Drawn from the seed, because the open data does not have it: {', '.join(DRAWN)}.")
            await play(client, people)
            seats = await seats_given(client)
            if (treated := sum(human.treated for human in people)) > seats:
                console.print(
                    f"{treated - seats} of {treated} people found no group that fits among so few, and wait on."
                )

            async def arrived() -> bool:
                share = progress_of(await read_indicators(client), people, seats)
                report("figures complete", round(share * 100), 100)
                return share == 1

            await client.until("the figures are complete", arrived)
            return await read_indicators(client, means=True)


async def _events(home: "Home") -> int:
    """Number of events that the services published. Records of compacted topics are no events."""
    where = {"programme": "jobs2", "topic": {"$nin": ["ama.enrolment.keys", "ama.enrolment.contacts"]}}
    counts = [await service.store["outbox"].count_documents(where) for service in home.all_services.services.values()]
    return sum(counts)


def _table(figures: dict[str, Any]) -> Table:
    table = Table("what", "figure", "what it is", title="JOBS II, from events alone")
    for name, meaning in MEANINGS.items():
        table.add_row(name.replace("_", " "), str(figures[name]), meaning)
    sizes = figures["groups"]
    table.add_row(
        "groups",
        f"{len(sizes)}, of {min(sizes)} to {max(sizes)}" if sizes else "none",
        "formed by the engine; each must have 10 to 15 members",
    )
    for wave, means in figures["means"].items():
        table.add_row(
            f"depression at {wave}",
            ", ".join(f"{who} {'not shown' if mean is None else f'{mean:.4f}'}" for who, mean in means.items()),
            f"mean score {WAVES.get(wave, '')}: between 1 and 5, lower is better; not shown where it could tell a person's answer",
        )
    table.add_row("events", str(figures["events"]), "published on Kafka by the five services: 10 to 20 for each person")
    table.add_row("seconds", str(figures["seconds"]), "for all requests until the figures were complete")
    return table
