"""The system libraries that mongod takes from the machine: libcurl and OpenSSL 3.

`python -m services.engines.system` checks them, installs them where it may (root on Debian or Ubuntu), and else
says in one sentence which command does. Invariant: only what is missing is installed.
"""

import ctypes
import os
import shutil
import subprocess
import sys

from services.engines.errors import LibraryMissing

PACKAGES = {"libcurl.so.4": "libcurl4", "libssl.so.3": "libssl3", "libcrypto.so.3": "libssl3"}


def missing() -> list[str]:
    """The libraries, by file name, that the machine's loader does not find."""
    return [library for library in PACKAGES if not _loads(library)]


def check() -> None:
    """Raise LibraryMissing, one sentence with the command to run, if a library is missing."""
    if lacking := missing():
        raise LibraryMissing(sentence(lacking))


def sentence(lacking: list[str]) -> str:
    """Which libraries mongod misses, and what brings them."""
    names = " and ".join(lacking)
    if shutil.which("apt-get"):
        return f"mongod needs {names}, which this machine does not have; run: {' '.join(command(lacking))}"
    return f"mongod needs {names}, which this machine does not have; install libcurl 4 and OpenSSL 3."


def command(lacking: list[str]) -> list[str]:
    """The command that installs them on Debian and Ubuntu."""
    packages = sorted({PACKAGES[library] for library in lacking})
    return ["apt-get", "install", "-y", "--no-install-recommends", *packages]


def install() -> None:
    """Install what is missing; raises LibraryMissing where this process may not or where it did not help."""
    lacking = missing()
    if not lacking:
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for step in (["apt-get", "update"], command(lacking)):
            subprocess.run(step, env=environment, check=False)
    check()


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    try:
        install()
    except LibraryMissing as error:
        sys.exit(str(error))
