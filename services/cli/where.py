"""Addresses and settings of the running services: from the folder of an `ama up`, or from the environment.

Invariant: a folder with a running `ama up` counts before the environment; without either, one sentence says what to do.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.settings import Misconfigured, Settings, from_environment, text_of

if TYPE_CHECKING:
    from services.identity.issuer import Issuer
    from services.identity.settings import SiteSettings


@dataclass(frozen=True, slots=True)
class Running:
    """Addresses of an `ama up` that runs."""

    base: str
    kafka: str
    mongo: str
    data: Path
    sasl: dict[str, Any]
    database: str = "ama"


def running(data: Path) -> Running | None:
    """Addresses of the `ama up` of this folder; None when none runs there. Misconfigured when its file is damaged."""
    path = data / "run.json"
    if not path.exists():
        return None
    try:
        run: dict[str, Any] = json.loads(text_of(path))
        found = Running(run["base"], run["kafka"], run["mongo"], data, run["sasl"], run.get("database", "ama"))
        # One that was killed leaves the file, and its addresses lead nowhere.
        return found if _lives(run.get("pid")) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Misconfigured(
            f"{path} is not what `ama up` writes: delete it, and start `ama up --data {data}` again."
        ) from None


def _lives(pid: int | None) -> bool:
    return pid is None or Path(f"/proc/{int(pid)}").exists()


def front(data: Path, need_issuer: bool = True) -> "tuple[str, Issuer | None]":
    """Base address of the services of this folder, or of the environment, and their issuer, if its signing key is here.
    Misconfigured when they are not known."""
    from services.identity.issuer import Issuer

    if (here := running(data)) is not None:
        return here.base, Issuer(data / "keys", f"{here.base}/issuer")
    base = os.environ.get("AMA_PUBLIC_URL")
    if not base:
        raise nothing_runs(data, "AMA_PUBLIC_URL to the address of the services")
    # The issuer only on request: with tokens of another provider there is no signing key here.
    return base.rstrip("/"), embedded_issuer() if need_issuer else None


def nothing_runs(data: Path, instead: str) -> Misconfigured:
    """The sentence for a command that needs a running system; `instead` are the variables that would name another one."""
    if data.exists() and not data.is_dir():
        return Misconfigured(f"{data} is a file: name the folder of an `ama up` with --data.")
    what = (
        f"is stopped: start it with `ama up --data {data}`"
        if is_installed(data)
        else f"is not there: `ama up --data {data}` makes one"
    )
    return Misconfigured(f"The system in {data} {what}, or set {instead}.")


def is_installed(data: Path) -> bool:
    """True for the folder of an `ama up`, running or not. Its keys are enough: after a loss, only they may have come back."""
    return (data / "keys" / "master.jwks").exists() or (data / "mongo").exists()


def embedded_issuer() -> "Issuer":
    """Our own issuer, which stands beside any other provider. Misconfigured when the environment does not say where."""
    from services.identity.issuer import Issuer

    public, named, keys = (os.environ.get(each) for each in ("AMA_PUBLIC_URL", "AMA_ISSUER", "AMA_KEYS"))
    url = f"{public.rstrip('/')}/issuer" if public else named
    if not url or not keys:
        raise Misconfigured(
            "AMA_PUBLIC_URL and AMA_KEYS, the address of the site and the folder of its issuer's key, are not set."
        )
    return Issuer(Path(keys), url)


def site_settings(data: Path) -> "SiteSettings":
    """Settings of the site of this folder, or of the environment when none runs there. Misconfigured when neither names a MongoDB."""
    from services.identity.settings import SiteSettings

    if (here := running(data)) is not None:
        return SiteSettings(
            mongo=here.mongo,
            database=here.database,
            keys=data / "keys",
            public_url=here.base,
            issuer=f"{here.base}/issuer",
        )
    if not os.environ.get("AMA_MONGO"):
        raise nothing_runs(data, "AMA_MONGO to the address of MongoDB")
    return from_environment(SiteSettings)


def settings(data: Path) -> Settings:
    """Settings of the `ama up` of this folder, or of the environment when none runs there. Misconfigured when neither names engines."""
    if (here := running(data)) is not None:
        return of_engines(data, here.kafka, here.mongo, here.base, here.sasl)
    if not names_engines():
        raise nothing_runs(data, "AMA_KAFKA and AMA_MONGO to the addresses of the engines")
    return from_environment()


def names_engines() -> bool:
    """True when the environment names engines, completely or not."""
    return any(os.environ.get(name) for name in ("AMA_KAFKA", "AMA_MONGO"))


def of_engines(data: Path, kafka: str, mongo: str, base: str, sasl: dict[str, Any]) -> Settings:
    """Settings of the system in this folder."""
    return Settings(kafka=kafka, mongo=mongo, keys=data / "keys", issuer=f"{base}/issuer", public_url=base, **sasl)
