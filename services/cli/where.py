"""How a command finds what is running: the environment, or the folder of an `ama up`.

Invariant: what is named in the environment wins; without either, one sentence says what to do.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.settings import Misconfigured, Settings, from_environment


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
