"""Secrets of a deployment, as files: passwords of the users of both engines, MongoDB's key file, and the services' keys.

Invariant: a secret is made once and never overwritten; only its owner can read the file. The password of a service on an engine is in the
file `{engine}-{service}`. Of the first account's password the file has the hash alone.
"""

import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from services import vault
from services.contracts.topics import SERVICES
from services.identity.issuer import Issuer
from services.settings import Misconfigured, text_of

SITE = "site"  # it has a database, and no part in the bus
USERS = {"kafka": SERVICES, "mongo": (*SERVICES, SITE)}
ADMIN = "admin"
KEYS = "keys"  # the folder of key files in it
KEY_FILE = "mongo-keyfile"
FIRST_ACCOUNT = "first-account"  # the hash of its password; empty: no account is made
SMTP = "smtp"  # empty, until an operator writes the address of a mail server into it


def make(folder: Path, owner: int | None = None, first_account: str | None = None) -> None:
    """Make the missing files. `first_account`: what the file of the first account gets. `owner`: the number of the user who gets the
    files; only root can set it. Misconfigured when a file cannot be written."""
    for engine, users in USERS.items():
        for who in (ADMIN, *users):
            _make(folder / f"{engine}-{who}", lambda: secrets.token_urlsafe(32))
    # MongoDB takes a key file of 6 to 1,024 characters in base64; these are 684.
    _make(folder / KEY_FILE, lambda: base64.b64encode(os.urandom(512)).decode())
    _make(folder / SMTP, str)
    _make(folder / FIRST_ACCOUNT, lambda: first_account or "")
    vault.make_keys(folder / KEYS, SERVICES)
    Issuer(folder / KEYS, "")  # for the side effect: it makes its key
    if owner is not None:
        # Compose mounts secrets as they are, so the user that reads them must own them.
        for path in [*folder.iterdir(), *(folder / KEYS).iterdir()]:
            os.chown(path, owner, owner)


def _make(path: Path, content: Callable[[], str]) -> None:
    try:
        # O_EXCL: engines and data depend on a secret that exists, so it is never replaced.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    except OSError as error:
        raise Misconfigured(f"{path} cannot be written: {error.strerror}.") from error
    with os.fdopen(handle, "w") as file:
        file.write(content())
        file.flush()
        # A crash right afterwards must not leave an empty file, which no later run would replace.
        os.fsync(file.fileno())


def read(folder: Path, engine: str) -> dict[str, str]:
    """Read the passwords of the users of this engine. Misconfigured when one is missing or empty."""
    found: dict[str, str] = {}
    for service in USERS[engine]:
        path = folder / f"{engine}-{service}"
        if not path.exists():
            raise Misconfigured(f"{path} is missing: `ama secrets DIR` makes it.")
        found[service] = text_of(path).strip()
        if not found[service]:
            raise Misconfigured(f"{path} is empty: delete it, and `ama secrets DIR` makes it anew.")
    return found
