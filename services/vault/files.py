"""Key files, readable by their owner alone: JWK or JWK Set (RFC 7517) in JSON, and the age keys of backups (`backup_keys`).

Invariant: a file is written whole or not at all, is on disk before anything is encrypted with it, and is never overwritten
when keys are made. An error names the file and the remedy, and quotes nothing of the content.
"""

import fcntl
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.settings import Misconfigured
from services.vault.sealing import KEY_SIZE, Unopenable, to_bytes, to_text

Jwk = dict[str, Any]
_OTHERS = 0o007
_KINDS = (".jwk", ".agekey")  # in the names of key files
_SECRET = {"k", "d"}  # members of a JWK that hold a symmetric key, a private one
# A later time would make `datetime.fromtimestamp` fail in `list_keys`.
_LATEST = datetime.max.replace(tzinfo=UTC).timestamp()


def keep(path: Path, make: Callable[[], Jwk]) -> Jwk:
    """Return the JWK of this file, made first if there is no file. Processes that call it at once get the same one. An
    existing file is only read, so its folder may be read-only."""
    if path.exists():
        return read_one(path)
    with alone(path.parent):
        return kept(path, make)


def kept(path: Path, make: Callable[[], Jwk]) -> Jwk:
    """Do the same as `keep` for a caller that holds the folder with `alone` already."""
    if not path.exists():
        write(path, make())
    return read_one(path)


def read_one(path: Path) -> Jwk:
    """Return the only key of a file. Misconfigured for more."""
    keys = read(path)
    if len(keys) != 1:
        raise Misconfigured(f"Key file {path} holds {len(keys)} keys instead of one.")
    return keys[0]


def read(path: Path) -> list[Jwk]:
    """Return the keys of a file. Misconfigured when it is missing, no JWK or JWK Set, or secret and readable by everybody."""
    keys = parse(_text(path), f"Key file {path}")
    if any(_SECRET & set(key) for key in keys):
        _refuse_if_open(path)
    return keys


def read_text(path: Path) -> str:
    """Return the text of a secret file. Misconfigured when it is missing, or readable by everybody."""
    found = _text(path)
    _refuse_if_open(path)
    return found


def _refuse_if_open(path: Path) -> None:
    if path.stat().st_mode & _OTHERS:
        raise Misconfigured(f"Key file {path} is open to everybody on this machine: chmod 600 {path}.")


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        raise Misconfigured(f"Key file {path} is missing: `ama keys make {path.parent}` makes it.") from None
    except OSError as error:
        raise Misconfigured(f"Key file {path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError:
        # Without the cause: a UnicodeDecodeError holds the bytes of the file.
        raise Misconfigured(f"Key file {path} is not JSON.") from None


def parse(text: str, where: str) -> list[Jwk]:
    """Return the keys of a JSON text. Misconfigured has no cause, since a cause would carry the text."""
    try:
        found = json.loads(text, object_pairs_hook=_each_member_once)
    except (ValueError, RecursionError):
        raise Misconfigured(f"{where} is not JSON.") from None
    keys = found.get("keys") if isinstance(found, dict) and "keys" in found else [found]
    if not isinstance(keys, list) or not all(isinstance(key, dict) and isinstance(key.get("kty"), str) for key in keys):
        raise Misconfigured(f"{where} is not a JWK or a JWK Set.")
    return keys


def _each_member_once(members: list[tuple[str, Any]]) -> Jwk:
    # A reader of another program might take the other one for the key.
    if len(found := dict(members)) < len(members):
        raise ValueError
    return found


def new_octets(kid: str) -> Jwk:
    """Make a symmetric key of 256 random bits. `iat`: the time in seconds since 1970."""
    return {"kty": "oct", "kid": kid, "iat": int(time.time()), "k": to_text(os.urandom(KEY_SIZE))}


def made_at(jwk: Mapping[str, Any]) -> float:
    """Return `iat` in seconds since 1970, or 0 when it is missing or invalid."""
    made = jwk.get("iat")
    return float(made) if isinstance(made, int | float) and 0 <= made < _LATEST else 0.0


def octets_of(jwk: Mapping[str, Any], where: str) -> bytes:
    """Return the 32 bytes of a symmetric key. Misconfigured for another kind or size."""
    try:
        octets = to_bytes(jwk["k"]) if jwk["kty"] == "oct" else b""
    except (KeyError, TypeError, AttributeError, Unopenable):
        octets = b""
    if len(octets) != KEY_SIZE:
        raise Misconfigured(f"{where} is not a symmetric key (kty oct) of 256 bits in base64url.")
    return octets


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON to a file as `write_text` does."""
    write_text(path, json.dumps(content, indent=1))


def write_text(path: Path, content: str) -> None:
    """Write a file of mode 600: whole or not at all, and on disk when this returns."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        # The mode is given at the creation: between creation and a chmod others could read the key.
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(content)
            file.flush()
            # Before the rename: after a crash the name must not lead to an empty file.
            os.fsync(file.fileno())
        draft.replace(path)
        # A rename is durable only when its folder is synced.
        with _opened(path.parent) as folder:
            os.fsync(folder)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise Misconfigured(f"Key file {path} cannot be written: {error.strerror or error}.") from error


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the folder against any other process that makes keys in it. It is made if need be, and closed to other users."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _close_to_others(folder)
    except OSError as error:
        raise Misconfigured(f"Key folder {folder} cannot be made: {error.strerror or error}.") from error
    with _opened(folder) as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # released by closing it, or by the end of the process
        yield


def _close_to_others(folder: Path) -> None:
    """Close a folder that holds keys alone. Misconfigured for another one, such as a home that was named by mistake."""
    if not folder.stat().st_mode & 0o077:
        return
    if any(not any(kind in entry.name for kind in _KINDS) for entry in folder.iterdir()):
        raise Misconfigured(f"Folder {folder} is open to others and holds more than keys: keep them in their own.")
    folder.chmod(0o700)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield handle
    finally:
        os.close(handle)
