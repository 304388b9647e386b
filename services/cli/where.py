"""How a command finds what is running: the environment, or the folder of an `ama up`.

Invariant: what is named in the environment wins; without either, one sentence says what to do.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.settings import Misconfigured, Settings, from_environment

if TYPE_CHECKING:
    from services.embedded.sign_in import SignIn
    from services.identity.issuer import Issuer


@dataclass(frozen=True, slots=True)
class Running:
    """An `ama up` that runs, by its folder."""

    base: str
    kafka: str
    mongo: str
    data: Path
    sasl: dict[str, Any]


def running(data: Path) -> Running:
    """Where the services of this folder are. Misconfigured when none runs there."""
    path = data / "run.json"
    if not path.exists():
        raise Misconfigured(f"Nothing runs in {data}: start it with `ama up --data {data}`.")
    told: dict[str, Any] = json.loads(path.read_text())
    return Running(told["base"], told["kafka"], told["mongo"], data, told["sasl"])


def front(data: Path, need_issuer: bool = True) -> "tuple[str, Issuer | None]":
    """Where the services of this folder, or of the environment, are to be called, and the issuer whose tokens they take if it is ours to
    sign for. Misconfigured when that is not known."""
    from services.identity.issuer import Issuer

    if (data / "run.json").exists():
        here = running(data)
        return here.base, Issuer(data / "keys", f"{here.base}/issuer")
    base = os.environ.get("AMA_PUBLIC_URL")
    if not base:
        raise Misconfigured(
            f"Nothing runs in {data}: start it with `ama up --data {data}`, or let AMA_PUBLIC_URL say what is to be called."
        )
    return base.rstrip("/"), own_issuer() if need_issuer else None


def own_issuer() -> "Issuer":
    """The embedded issuer where it stands by itself. Misconfigured when the environment does not say so."""
    from services.identity.issuer import Issuer

    url, keys = os.environ.get("AMA_ISSUER"), os.environ.get("AMA_KEYS")
    if not url or not keys:
        raise Misconfigured(
            "AMA_ISSUER and AMA_KEYS, the address of the embedded issuer and the folder of its key, are not set."
        )
    return Issuer(Path(keys), url)


def console_password() -> str | None:
    """With which people sign in to the console at the embedded issuer; None when nobody can."""
    if given := os.environ.get("AMA_CONSOLE_PASSWORD"):
        return given
    path = Path(os.environ.get("AMA_SECRETS") or os.devnull) / "ama_console_password"
    return (path.read_text().strip() or None) if path.is_file() else None


def signing_in(issuer: "Issuer") -> "SignIn | None":
    """How people sign in to the console there, for the programmes that are served; None when there is no password."""
    from services import programmes
    from services.embedded.sign_in import KEPT, SignIn
    from services.runtime.service import served

    password, base, folder = console_password(), os.environ.get("AMA_PUBLIC_URL"), os.environ.get("AMA_PROGRAMMES")
    if not password or not base:
        return None
    known = programmes.load_all(Path(folder) if folder else None)
    programmes_here = list(served(known, os.environ.get("AMA_ONLY") or None))
    return SignIn.to_the_console(issuer, password, base, programmes_here, KEPT)


def settings(data: Path) -> Settings:
    """The settings of what runs in this folder, or of the environment when nothing does."""
    if not (data / "run.json").exists():
        return from_environment()
    here = running(data)
    return Settings(
        kafka=here.kafka,
        mongo=here.mongo,
        keys=data / "keys",
        issuer=f"{here.base}/issuer",
        public_url=here.base,
        **here.sasl,
    )
