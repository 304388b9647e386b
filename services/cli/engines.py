"""Engines for a command that needs no service: those of a running system, those that the environment names, or a stopped system's own.

Invariant: engines that were started for the command end with it, and no service runs on them meanwhile.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from services.cli.terminal import Terminal
from services.cli.where import is_installed, names_engines, of_engines, running, settings

if TYPE_CHECKING:
    from services.settings import Settings

NO_SERVICES = "http://127.0.0.1"  # the address of services that do not run


def backups_of(data: Path) -> Path:
    """The folder for backups of the system in this folder; the current one for a system that the environment names."""
    return data / "backups" if _counts(data) else Path()


def keys_of(data: Path) -> Path:
    """The folder of the key files, also of a stopped system. Misconfigured when neither folder nor environment names a system."""
    return data / "keys" if _counts(data) else settings(data).keys


def _counts(data: Path) -> bool:
    """True when the folder counts, and not the environment."""
    return running(data) is not None or (is_installed(data) and not names_engines())


@contextmanager
def at_hand(data: Path, *, alone: bool = False) -> "Iterator[Settings]":
    """Settings with the addresses of engines that run inside the block. `alone`: no service may run on them. Misconfigured when one
    does, or when neither folder nor environment names engines; EngineError when those of the folder do not start."""
    from services.settings import Misconfigured

    if alone and running(data) is not None:
        raise Misconfigured(
            f"The services of {data} run: stop `ama up` first. The engines are started for this command alone."
        )
    if running(data) is None and _counts(data):
        with _started(data) as given:
            yield given
    else:
        yield settings(data)


@contextmanager
def _started(data: Path) -> "Iterator[Settings]":
    from services.embedded import data_folder
    from services.engines import Embedded, progress

    data_folder.claim(data)
    # A system that was started with users keeps them: without, everybody on this machine could read it meanwhile.
    secure = (data / "mongo-access").exists()
    console = Terminal(stderr=True)
    with progress.bar() as report:
        embedded = Embedded(data, secure=secure, report=report)
        with console.status(f"Starting the engines of {data}"):
            engines = embedded.start()
        try:
            yield of_engines(data.resolve(), engines.kafka, engines.mongo, NO_SERVICES, engines.login())
        finally:
            with console.status("Stopping the engines"):
                embedded.stop()
