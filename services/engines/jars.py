"""Kafka's jars: which they are, where they lie, and that they are whole.

Invariant: a jar that lies in the cache is the published one (its SHA-256 was checked before it was moved there), so
when all are there nothing is asked of a network. The list names every jar with the version that Maven resolves:
another resolution mixes in older clients, and the broker dies of them. `kafka-jars.txt` holds one jar a line:
`group:artifact:version size sha256`.
"""

import os
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

Report = Callable[[str, int, int], None]
"""What is being done, bytes done, bytes in all."""


class Jar(NamedTuple):
    """One published file."""

    group: str
    artifact: str
    version: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        """The file's name in the cache."""
        return f"{self.artifact}-{self.version}.jar"


def listed() -> list[Jar]:
    """The jars that the broker runs on."""
    jars = []
    for line in files("services.engines").joinpath("kafka-jars.txt").read_text().splitlines():
        coordinate, size, sha256 = line.split()
        group, artifact, version = coordinate.split(":")
        jars.append(Jar(group, artifact, version, int(size), sha256))
    return jars


def cache() -> Path:
    """Where fetched files are kept: `AMA_CACHE`, else the user's cache folder."""
    if chosen := os.environ.get("AMA_CACHE"):
        return Path(chosen).expanduser().resolve()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ama-lavoro"


def ready(report: Report | None = None) -> Path:
    """The folder with all jars in it, fetched first if one is missing; raises FetchFailed."""
    folder = cache() / "jars"
    missing = [jar for jar in listed() if not (folder / jar.name).exists()]
    if missing:
        from services.engines.fetch import fetch  # it brings an HTTP client that a complete cache has no use for

        fetch(missing, folder, report or _silent)
    return folder


def classpath(folder: Path) -> str:
    """The listed jars, and none that another version has left in the cache."""
    return os.pathsep.join(str(folder / jar.name) for jar in listed())


def _silent(what: str, done: int, total: int) -> None:
    """Report to nobody."""
