"""`ama contracts`: read, export, freeze and check the published language.

Invariant: nothing here needs an engine, and only `freeze` writes into the project.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from services.contracts import EventData

app = typer.Typer(
    no_args_is_help=True, help="The event types that the services publish: what they are, and whether they are kept."
)


@app.command("list")
def list_() -> None:
    """Every event type: its topic, who may read it, what it says."""
    from rich.markup import escape
    from rich.table import Table

    from services.contracts.frozen import published
    from services.contracts.schema import summary_of

    table = Table("type", "topic", "readers", "what happened", box=None, header_style="bold")
    for kind in published().values():
        table.add_row(kind.type, kind.topic, ", ".join(kind.readers), escape(summary_of(kind)))
    _wide().print(table)


@app.command()
def show(
    type_: Annotated[str, typer.Argument(metavar="TYPE", help="full name, or an end of it such as worker.profiled.v1")],
) -> None:
    """One event type: its JSON Schema and an example record."""
    from services.contracts.frozen import Frozen
    from services.contracts.schema import schema_of

    kind = _one(type_)
    print(json.dumps(schema_of(kind), indent=2, ensure_ascii=False))
    print(json.dumps(Frozen().opened(kind), indent=2, ensure_ascii=False))


@app.command()
def export(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="made if it is not there; files of the same name are replaced")
    ],
    bootstrap: Annotated[
        str, typer.Option(envvar="AMA_KAFKA", help="Kafka's address in the AsyncAPI documents")
    ] = "localhost:9092",
    secure: Annotated[bool, typer.Option(help="whether that Kafka wants SASL/SCRAM")] = True,
) -> None:
    """Write schemas, examples and AsyncAPI documents of the code into a folder. A document lists all that its service
    may read."""
    import orjson

    from services.contracts.asyncapi import document, published_by, readable_by
    from services.contracts.frozen import Frozen, published
    from services.contracts.topics import SERVICES

    said = Frozen(directory).export(published().values(), Frozen())
    (directory / "asyncapi").mkdir(parents=True, exist_ok=True)
    for service in SERVICES:
        body = document(service, published_by(service), readable_by(service), bootstrap=bootstrap, secure=secure)
        (directory / "asyncapi" / f"{service}.json").write_bytes(orjson.dumps(body, option=orjson.OPT_INDENT_2))
    print(f"{said} event types and {len(SERVICES)} AsyncAPI documents are in {directory}")


@app.command()
def check() -> None:
    """Whether the code keeps what was promised: one line per broken promise, exit status 1 if there is any."""
    from services.contracts.audit import problems
    from services.contracts.frozen import Frozen, published

    found = problems(published().values(), Frozen())
    for problem in found:
        print(problem)
    if found:
        raise typer.Exit(1)
    print(f"{len(published())} event types keep their contracts")


@app.command()
def freeze() -> None:
    """Promise the new types, and what known ones have learnt compatibly. Writes nothing if any frozen schema would be
    broken."""
    from services.contracts.frozen import Frozen, Incompatible, published

    try:
        done = Frozen().freeze(published().values())
    except Incompatible as refused:
        for reason in refused.breaks:
            print(f"{reason}; make it a new version beside the old")
        raise typer.Exit(1) from refused
    print("\n".join(done) or "Everything is frozen already")


def _one(name: str) -> "type[EventData]":
    from services.contracts.frozen import published

    kinds = published()
    found = [kind for full, kind in kinds.items() if full == name or full.endswith(f".{name}")]
    if not found:
        raise typer.BadParameter(f"There is no event type {name}; `ama contracts list` shows them.")
    if len(found) > 1:
        raise typer.BadParameter(f"{name} may be {' or '.join(kind.type for kind in found)}.")
    return found[0]


def _wide() -> "Console":
    """Rich's console; into a pipe the table keeps its lines whole."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=240)
