"""`ama events`: publish stored events again."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from services.cli.terminal import Terminal, quiet

app = typer.Typer(no_args_is_help=True, help="Publish stored events on the bus again.")
Data = Annotated[Path, typer.Option("--data", help="Folder of the running `ama up`.", envvar="AMA_DATA")]
HERE = Path(".ama")


@app.callback()
def events() -> None:
    """Publish stored events on the bus again."""


@app.command()
def republish(
    service: Annotated[str, typer.Argument(help="enrolment, grouping, sessions, notifications or analytics")],
    topic: Annotated[list[str] | None, typer.Option(help="Only this topic of the service; can be repeated.")] = None,
    data: Data = HERE,
) -> None:
    """Publish every event of a service again, from its database, each subject in order.

    For a bus that was lost or is new. A relay that finds its topics empty or new does this by itself; this command asks it to. No effect is
    doubled: events keep their ids and sequences, and consumers drop repeats. Partners' feeds need no such command.
    """
    from services.cli.where import settings
    from services.operations.republish import NobodySends, topics_of
    from services.operations.republish import republish as republish_topics
    from services.runtime import serving

    quiet()

    async def run() -> None:
        one = serving.build(service, settings(data))
        columns = (
            TextColumn("{task.description:>28}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        try:
            with Progress(*columns, console=Terminal(stderr=True)) as progress:
                bars: dict[str, TaskID] = {}

                def report(name: str, sent: int, stored: int) -> None:
                    if name not in bars:
                        bars[name] = progress.add_task(name, total=None)
                    # 0 until the relay has counted: without a total the bar moves instead of looking complete.
                    progress.update(bars[name], completed=sent, total=stored or None)

                await republish_topics(one, topics_of(service, topic or []), report)
        except NobodySends as nobody:
            # Status 1, although the request stays stored: nothing is sent yet, and a script must notice.
            Terminal(stderr=True).print(str(nobody))
            raise typer.Exit(1) from nobody
        finally:
            # The service was built, not started, and its clients are open all the same.
            await one.stop()
        Terminal().print(f"Every event of {service} is on the bus again.")

    asyncio.run(run())
