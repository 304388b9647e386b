"""`ama projections`: list read models, or rebuild one from the bus beside the live one."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from services.cli.terminal import Terminal, quiet

app = typer.Typer(no_args_is_help=True, help="List read models, or rebuild one from the bus.")
Data = Annotated[Path, typer.Option("--data", help="Folder of the running `ama up`.", envvar="AMA_DATA")]
Service = Annotated[str, typer.Argument(help="enrolment, grouping, sessions, notifications or analytics")]
HERE = Path(".ama")


@app.command("list")
def list_(service: Service, data: Data = HERE) -> None:
    """List the read models of a service, with the generation that is read."""
    from services.cli.where import settings
    from services.runtime import serving

    quiet()

    async def show() -> None:
        one = serving.build(service, settings(data))
        try:
            for name in one.read_models.projections:
                Terminal().print(f"{name}  generation {await one.read_models.live(name)}")
        finally:
            # The service was built, not started, and its clients are open all the same.
            await one.stop()

    asyncio.run(show())


@app.command()
def rebuild(
    service: Service,
    projection: Annotated[str, typer.Argument(help="The projection, as `list` shows it.")],
    data: Data = HERE,
) -> None:
    """Rebuild a read model from the first event, beside the live one. When it is level, readers switch to it and the old one is dropped."""
    from services.cli.where import settings
    from services.embedded.damage import noticing
    from services.operations.rebuild import rebuild as build_generation
    from services.runtime import serving

    quiet()
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )

    async def run() -> None:
        one = serving.build(service, settings(data))
        try:
            # Without it a damaged record would keep the command for ever: the library that reads tries again.
            with Progress(*columns, console=Terminal(stderr=True)) as progress, noticing(data / "kafka") as damage:
                task = progress.add_task(f"{service} {projection}", total=None)

                def report(done: int, total: int) -> None:
                    progress.update(task, completed=done, total=total or None)

                async def build() -> None:
                    generation = await build_generation(one, projection, report)
                    # The last report came before the last records were taken.
                    total = progress.tasks[task].total or 1
                    progress.update(task, completed=total, total=total)
                    Terminal().print(f"{projection}: generation {generation} is read now.")

                await damage.unless_met(build())
        finally:
            await one.stop()

    asyncio.run(run())
