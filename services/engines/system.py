"""The system libraries that mongod needs from the machine: libcurl and OpenSSL 3.

`python -m services.engines.system` checks them, and installs them as root on Debian or Ubuntu. Elsewhere it prints one
sentence with the command that does. Invariant: only missing libraries are installed.
"""

import ctypes
import os
import shutil
import subprocess

from services.engines.errors import LibraryMissing

PACKAGES = {"libcurl.so.4": "libcurl4", "libssl.so.3": "libssl3", "libcrypto.so.3": "libssl3"}


def missing() -> list[str]:
    """Return the libraries, by file name, that the loader of the machine does not find."""
    return [library for library in PACKAGES if not _loads(library)]


def check() -> None:
    """Raise LibraryMissing, one sentence with the command to run, if a library is missing."""
    if lacking := missing():
        raise LibraryMissing(sentence(lacking))


def sentence(lacking: list[str]) -> str:
    """Return the sentence for missing libraries, with the command that installs them."""
    names = " and ".join(lacking)
    if shutil.which("apt-get"):
        return f"mongod needs {names}, which this machine does not have; run: {' '.join(command(lacking))}"
    return f"mongod needs {names}, which this machine does not have; install libcurl 4 and OpenSSL 3."


def command(lacking: list[str]) -> list[str]:
    """Return the command that installs them on Debian and Ubuntu."""
    packages = sorted({PACKAGES[library] for library in lacking})
    return ["apt-get", "install", "-y", "--no-install-recommends", *packages]


def install() -> None:
    """Install the missing libraries. Raises LibraryMissing where this process may not, or where it did not help."""
    lacking = missing()
    if not lacking:
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for step in (["apt-get", "update"], command(lacking)):
            # A step that fails shows in the check below, which names the libraries that are missing.
            subprocess.run(step, env=environment, check=False)
    check()


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
