"""Prometheus and promtool: this machine's own, else those of Debian's package, unpacked into the download cache.

`python -m tests.alerts.brought` fetches them beforehand. Invariants: nothing is installed, so no server starts by itself; only fetching the
lists of packages needs root; apt checks what it fetches; a failure is one sentence.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from services.engines.jars import cache

PROGRAMS = ("prometheus", "promtool")
APT = ["apt-get", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3"]  # the folder is nobody else's
PATIENCE = 240  # seconds for one step


class NotBrought(Exception):
    """Refusal: Prometheus is not on this machine. The message says how to get it."""


def program(name: str) -> Path:
    """Path of `prometheus` or `promtool`. NotBrought when it cannot be fetched."""
    if own := shutil.which(name):
        return Path(own)
    unpacked = cache() / "prometheus"
    if not (unpacked / "usr/bin" / name).exists():
        bring(unpacked)
    return unpacked / "usr/bin" / name


def bring(folder: Path) -> None:
    """Fetch Debian's package into this folder once, even when several processes ask at the same time."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise NotBrought(sentence("this machine has no apt"))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return
        with tempfile.TemporaryDirectory(dir=folder.parent) as landing:
            package = _downloaded(Path(landing))
            _run(["dpkg-deb", "--extract", str(package), f"{landing}/unpacked"], landing)
            Path(landing, "unpacked").rename(folder)


def sentence(why: str) -> str:
    """Give the error message, with the way to mend it."""
    return (
        f"Prometheus is needed to try the alerts, and {why}: put {' and '.join(PROGRAMS)} on the PATH (Debian's package "
        "prometheus brings both)."
    )


def _downloaded(landing: Path) -> Path:
    """Download the package. Fetch the lists of packages first when they are missing or old."""
    download = [*APT, "download", "prometheus"]
    try:
        _run(download, str(landing))
    except NotBrought:
        if os.geteuid() != 0:
            raise
        _run([*APT, "update"], str(landing))
        _run(download, str(landing))
    return next(landing.glob("prometheus_*.deb"))


def _run(command: list[str], folder: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=PATIENCE)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise NotBrought(sentence(f"`{' '.join(command)}` failed ({said})"))


if __name__ == "__main__":
    try:
        for each in PROGRAMS:
            program(each)
    except NotBrought as error:
        sys.exit(str(error))
