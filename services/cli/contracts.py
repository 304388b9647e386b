"""`ama contracts`: list, export, freeze and check the published event types.

Invariant: no command here needs an engine, and only `freeze` writes into the project.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.terminal import say, say_json, wide

if TYPE_CHECKING:
    from services.contracts import EventData

WIDE = 240  # columns of the list where there is no terminal
app = typer.Typer(
    no_args_is_help=True, help="List, show, export, check or freeze the event types that the services publish."
)


@app.command("list")
def list_() -> None:
    """List every event type with its topic, its readers and its meaning."""
    from rich.table import Table

    from services.contracts.frozen import published
    from services.contracts.schema import summary_of

    table = Table("type", "topic", "readers", "what happened", box=None, header_style="bold")
    for kind in published().values():
        table.add_row(kind.type, kind.topic, ", ".join(kind.readers), summary_of(kind))
    wide(WIDE).print(table)


@app.command()
def show(
    type_: Annotated[
        str, typer.Argument(metavar="TYPE", help="The full name, or its end, such as worker.profiled.v1.")
    ],
) -> None:
    """Show the JSON Schema and an example record of one event type."""
    from services.contracts.frozen import Frozen
    from services.contracts.schema import schema_of

    kind = _one(type_)
    # Printed without rich, which would wrap long lines: the output has to be JSON in a pipe, too.
    say_json(schema_of(kind))
    say_json(Frozen().opened(kind))


@app.command()
def export(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder, made if missing; files of the same name are replaced.")
    ],
    bootstrap: Annotated[
        str, typer.Option(envvar="AMA_KAFKA", help="Kafka's address in the AsyncAPI documents.")
    ] = "localhost:9092",
    secure: Annotated[bool, typer.Option(help="That Kafka requires SASL/SCRAM.")] = True,
) -> None:
    """Write schemas, examples and AsyncAPI documents to a folder. A document lists all event types that its service
    may read."""
    import orjson

    from services.contracts.asyncapi import document, published_by, readable_by
    from services.contracts.frozen import Frozen, published
    from services.contracts.topics import SERVICES

    exported = Frozen(directory).export(published().values(), Frozen())
    (directory / "asyncapi").mkdir(parents=True, exist_ok=True)
    for service in SERVICES:
        body = document(service, published_by(service), readable_by(service), bootstrap=bootstrap, secure=secure)
        (directory / "asyncapi" / f"{service}.json").write_bytes(orjson.dumps(body, option=orjson.OPT_INDENT_2))
    say(f"{exported} event types and {len(SERVICES)} AsyncAPI documents are in {directory}")


@app.command()
def check() -> None:
    """Check the code against the frozen schemas. Prints one line per broken contract; exit status 1 if there is one."""
    from services.contracts.audit import problems
    from services.contracts.frozen import Frozen, published

    found = problems(published().values(), Frozen())
    for problem in found:
        say(problem)
    if found:
        raise typer.Exit(1)
    say(f"{len(published())} event types keep their contracts")


@app.command()
def freeze() -> None:
    """Freeze new event types and compatible changes of known ones. Writes nothing if a change would break a frozen
    schema."""
    from services.contracts.frozen import Frozen, Incompatible, published

    try:
        done = Frozen().freeze(published().values())
    except Incompatible as refused:
        # Partners' programs and stored events have the frozen schema, so a change that breaks it is never frozen.
        for reason in refused.breaks:
            say(f"{reason}; make it a new version beside the old")
        raise typer.Exit(1) from refused
    for line in done or ["Everything is frozen already"]:
        say(line)


def _one(name: str) -> "type[EventData]":
    from services.contracts.frozen import published

    kinds = published()
    # With the dot before it, so that only whole parts of a name match.
    found = [kind for full, kind in kinds.items() if full == name or full.endswith(f".{name}")]
    if not found:
        raise typer.BadParameter(f"There is no event type {name}; `ama contracts list` shows them.")
    if len(found) > 1:
        raise typer.BadParameter(f"{name} may be {' or '.join(kind.type for kind in found)}.")
    return found[0]
