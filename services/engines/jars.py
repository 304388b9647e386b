"""Kafka's jars: which they are, where they lie, and that they are whole.

Invariant: a jar that lies in the cache is the published one (its SHA-256 was checked before it was moved there), so
when all are there nothing is asked of a network. The list names every jar with the version that Maven resolves:
another resolution mixes in older clients, and the broker dies of them. `kafka-jars.txt` holds one jar a line:
`group:artifact:version size sha256`.
"""

import os
from pathlib import Path

from services.engines.jar_list import Report, listed


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
