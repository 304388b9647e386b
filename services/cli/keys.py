"""`ama keys`: the key files of the services, made or listed, and the master key rotated.

Invariant: no key material is printed, and no existing key is overwritten.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.terminal import Terminal

if TYPE_CHECKING:
    from services.vault import KeyFacts

app = typer.Typer(no_args_is_help=True, help="Make missing key files, list keys, or rotate the master key.")
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the key files (AMA_KEYS of the services).")]


@app.command()
def make(folder: Folder) -> None:
    """Make every missing key file in a folder. Existing files stay unchanged.

    Enrolment needs master.jwks and services.jwks, every other service its own {service}.jwk. Notifications also needs
    pseudonyms.jwk, and enrolment lookups.jwk. `ama backup` needs backup.agekey. Back up master.jwks, pseudonyms.jwk,
    lookups.jwk and backup.agekey apart from the databases: without the first no personal data can be read, without the second
    partners recognise nobody, without the third no tax code is found again, without the last no backup opens.
    Where AMA_MASTER_KEYS is set, no master.jwks is made.
    """
    from services import vault
    from services.contracts.topics import SERVICES
    from services.vault.master import VARIABLE

    vault.make_keys(folder, SERVICES, master_given=bool(os.environ.get(VARIABLE)))
    _show(folder)


@app.command("list")
def list_(folder: Folder) -> None:
    """List the keys of a folder by file, id, kind and age, never the keys themselves."""
    _show(folder)


@app.command()
def rotate(
    folder: Folder,
    backup: Annotated[bool, typer.Option("--backup", help="Add a key of backups instead.")] = False,
) -> None:
    """Add a master key. It wraps the keys of new people after enrolment's next start; older master keys still unwrap.

    Keep an older master key as long as it wraps a person's key, also in a backup that may be restored. With --backup: add a key that
    encrypts backups from now on. Keep an older one as long as you keep a backup that it opens.
    """
    from services import vault
    from services.settings import Misconfigured
    from services.vault.master import VARIABLE

    if backup:
        kid = vault.rotate_backup_key(folder)
        Terminal().print(
            f"Backup key {kid} is added to {folder}; backups are encrypted for it from now on.", soft_wrap=True
        )
        return
    # The variable is used instead of the file: a rotation of the file would have no effect.
    if os.environ.get(VARIABLE):
        raise Misconfigured(f"The master keys are in {VARIABLE}: add the new one there, as the last of its JWK Set.")
    kid = vault.rotate_master(folder)
    Terminal().print(
        f"Master key {kid} is added to {folder}; enrolment wraps with it once started again.", soft_wrap=True
    )


def _show(folder: Path) -> None:
    from rich.table import Table

    from services import vault

    table = Table("file", "kid", "kind", "age", box=None, header_style="bold")
    for key in vault.list_keys(folder):
        table.add_row(key.file, key.kid, key.kind, _age(key))
    Terminal().print(table)


def _age(key: "KeyFacts") -> str:
    from datetime import UTC, datetime

    days = (datetime.now(UTC) - key.made).days
    return "today" if days < 1 else "1 day" if days == 1 else f"{days} days"
