"""Kafka's jars in the cache, fetched when one is missing.

Invariant: a jar in the cache is the published one: its SHA-256 was checked before it was moved there. When all are there, no
network is used. `jar_list` names the jars. `python -m services.engines jars` fetches them beforehand.
"""

import os
from pathlib import Path

from services.engines.jar_list import Report, listed


def cache() -> Path:
    """Return the folder of fetched files: `AMA_CACHE`, else the user's cache folder."""
    if chosen := os.environ.get("AMA_CACHE"):
        return Path(chosen).expanduser().resolve()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ama-lavoro"


def ready(report: Report | None = None) -> Path:
    """Return the folder with all jars, after fetching those that are missing. Raises FetchFailed."""
    folder = cache() / "jars"
    missing = [jar for jar in listed() if not (folder / jar.name).exists()]
    if missing:
        from services.engines.fetch import fetch  # it brings an HTTP client, which a complete cache does not need

        fetch(missing, folder, report or _silent)
    return folder


def classpath(folder: Path) -> str:
    """Return the class path of the listed jars, without those that another version has left in the cache."""
    return os.pathsep.join(str(folder / jar.name) for jar in listed())


def _silent(what: str, done: int, total: int) -> None:
    """Ignore the progress of a download."""
