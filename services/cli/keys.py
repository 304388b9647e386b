"""`ama keys`: the key files of the services: make them, look at them, add a master key.

Invariant: no key material is ever printed, and nothing that exists is overwritten.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from services.vault import KeyFacts

app = typer.Typer(no_args_is_help=True, help="The key files: make what is missing, list them, rotate the master key.")
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the key files (AMA_KEYS of the services).")]


@app.command()
def make(folder: Folder) -> None:
    """Make every key file that is missing in a folder; those that are there stay as they are.

    Enrolment needs master.jwks and services.jwks, every other service its own {service}.jwk; notifications also needs
    pseudonyms.jwk, and whoever makes or checks personal links needs links.jwk. Back up master.jwks and pseudonyms.jwk,
    apart from the databases: without the first nobody's data can be read, without the second partners no longer recognise
    anyone. Where AMA_MASTER_KEYS is set, no master.jwks is made.
    """
    from services import vault
    from services.contracts.topics import SERVICES
    from services.vault.master import VARIABLE

    vault.make_keys(folder, SERVICES, master_given=bool(os.environ.get(VARIABLE)))
    _show(folder)


@app.command("list")
def list_(folder: Folder) -> None:
    """The keys of a folder: file, id, kind and age. Never the keys themselves."""
    _show(folder)


@app.command()
def rotate(folder: Folder) -> None:
    """Add a master key. It wraps the keys of new people once enrolment is started again; older ones still unwrap.

    Keep the older ones for as long as anyone's key, or a backup that is to be restored, is wrapped by them.
    """
    from rich.console import Console

    from services import vault
    from services.settings import Misconfigured
    from services.vault.master import VARIABLE

    if os.environ.get(VARIABLE):
        raise Misconfigured(f"The master keys are in {VARIABLE}: add the new one there, as the last of its JWK Set.")
    kid = vault.rotate_master(folder)
    Console(soft_wrap=True).print(f"Master key {kid} is added to {folder}; enrolment wraps with it once started again.")


def _show(folder: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    from services import vault

    table = Table("file", "kid", "kind", "age", box=None, header_style="bold")
    for key in vault.list_keys(folder):
        table.add_row(key.file, key.kid, key.kind, _age(key))
    Console().print(table)


def _age(key: "KeyFacts") -> str:
    from datetime import UTC, datetime

    days = (datetime.now(UTC) - key.made).days
    return "today" if days < 1 else "1 day" if days == 1 else f"{days} days"
