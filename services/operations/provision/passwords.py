"""The secrets of a deployment, as files: passwords of both engines' users, MongoDB's key file, and the services' keys.

Invariant: a secret is made once and never overwritten; each file is for its owner alone. `{engine}-{service}` is that service's password.
"""

import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from services import vault
from services.contracts.topics import SERVICES
from services.identity.issuer import Issuer
from services.settings import Misconfigured

ENGINES = ("kafka", "mongo")
ADMIN = "admin"
KEYS = "keys"  # the folder of key files in it
KEY_FILE = "mongo-keyfile"
CONSOLE = "console"  # with which people sign in to the console at the embedded issuer
SMTP = "smtp"  # empty, until somebody writes a mail server's address into it


def make(folder: Path, owner: int | None = None) -> None:
    """Make what is missing. `owner`, a user's number, is given the files, which root alone can do; Misconfigured when it cannot be done."""
    for engine in ENGINES:
        for who in (ADMIN, *SERVICES):
            _make(folder / f"{engine}-{who}", lambda: secrets.token_urlsafe(32))
    _make(folder / KEY_FILE, lambda: base64.b64encode(os.urandom(512)).decode())
    _make(folder / CONSOLE, lambda: secrets.token_urlsafe(18))
    _make(folder / SMTP, str)
    vault.make_keys(folder / KEYS, SERVICES)
    Issuer(folder / KEYS, "")  # makes its key
    if owner is not None:
        for path in [*folder.iterdir(), *(folder / KEYS).iterdir()]:
            os.chown(path, owner, owner)


def _make(path: Path, content: Callable[[], str]) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    except OSError as error:
        raise Misconfigured(f"{path} cannot be written: {error.strerror}.") from error
    with os.fdopen(handle, "w") as file:
        file.write(content())
        file.flush()
        os.fsync(file.fileno())


def read(folder: Path, engine: str) -> dict[str, str]:
    """The services' passwords for this engine. Misconfigured when one is missing."""
    found: dict[str, str] = {}
    for service in SERVICES:
        path = folder / f"{engine}-{service}"
        try:
            found[service] = path.read_text().strip()
        except OSError as error:
            raise Misconfigured(f"{path} cannot be read ({error.strerror}): `ama secrets DIR` makes it.") from error
        if not found[service]:
            raise Misconfigured(f"{path} is empty: delete it, and `ama secrets DIR` makes it anew.")
    return found
