"""`ama events`: say again what was said."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

app = typer.Typer(no_args_is_help=True, help="Put what was said on the bus again.")
Data = Annotated[Path, typer.Option("--data", help="Folder of the running `ama up`.", envvar="AMA_DATA")]
HERE = Path(".ama")


@app.callback()
def events() -> None:
    """Put what was said on the bus again."""


@app.command()
def republish(
    service: Annotated[str, typer.Argument(help="enrolment, grouping, sessions, notifications or analytics")],
    topic: Annotated[list[str] | None, typer.Option(help="Only this topic of it; can be given again.")] = None,
    data: Data = HERE,
) -> None:
    """Put every event of a service on the bus again, from its database, each subject in its order.

    For a bus that was lost or is new. A relay that finds its topics emptied or made anew does this by itself; this asks it to. Nothing is
    doubled: events keep their ids and sequences, and whoever takes them drops what was taken. Partners' feeds need no such command.
    """
    from services.cli.where import settings
    from services.operations.republish import NobodySends, topics_of
    from services.operations.republish import republish as say_again
    from services.runtime import serving

    async def run() -> None:
        one = serving.build(service, settings(data))
        columns = (TextColumn("{task.description:>28}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        try:
            with Progress(*columns, console=Console(stderr=True)) as progress:
                bars: dict[str, TaskID] = {}

                def report(name: str, sent: int, there: int) -> None:
                    if name not in bars:
                        bars[name] = progress.add_task(name, total=None)
                    progress.update(bars[name], completed=sent, total=there or None)

                await say_again(one, topics_of(service, topic or []), report)
        except NobodySends as nobody:
            Console(stderr=True).print(str(nobody))
            raise typer.Exit(1) from nobody
        finally:
            await one.stop()
        Console().print(f"Everything that {service} said is on the bus again.")

    asyncio.run(run())
