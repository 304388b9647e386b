"""`ama projections`: list the read models of a service, or rebuild them from the bus beside the live ones."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from services.cli.terminal import Terminal, quiet

app = typer.Typer(no_args_is_help=True, help="List read models, or rebuild them from the bus.")
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
            live = await one.read_models.live()
            for name in one.read_models.projections:
                Terminal().print(f"{name}  generation {live}")
        finally:
            # The service was built, not started, and its clients are open all the same.
            await one.stop()

    asyncio.run(show())


@app.command()
def rebuild(
    service: Service,
    projection: Annotated[
        str | None, typer.Argument(help="Not needed: all of the service are rebuilt together.")
    ] = None,
    data: Data = HERE,
) -> None:
    """Rebuild the read models of a service from the first event, beside the live ones.

    When they are level, readers switch to them and the old ones are dropped.
    """
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
        explain(one.name, projection, list(one.read_models.projections))
        try:
            # Without it a damaged record would keep the command for ever: the library that reads tries again.
            with Progress(*columns, console=Terminal(stderr=True)) as progress, noticing(data / "kafka") as damage:
                task = progress.add_task(service, total=None)

                def report(done: int, total: int) -> None:
                    progress.update(task, completed=done, total=total or None)

                async def build() -> None:
                    generation = await build_generation(one, report)
                    # The last report came before the last records were taken.
                    total = progress.tasks[task].total or 1
                    progress.update(task, completed=total, total=total)
                    Terminal().print(f"{', '.join(one.read_models.projections)}: generation {generation} is read now.")

                await damage.unless_met(build())
        finally:
            await one.stop()

    asyncio.run(run())


def explain(service: str, projection: str | None, known: list[str]) -> None:
    """Say that a name is not needed. Misconfigured when the service has no projection of that name."""
    from services.settings import Misconfigured

    if projection is None:
        return
    if projection not in known:
        raise Misconfigured(f"{service} has no projection {projection}; it has: {', '.join(known) or 'none'}.")
    Terminal(stderr=True).print(
        f"The read models of {service} are rebuilt together: {', '.join(known)}. A name is not needed.", soft_wrap=True
    )
