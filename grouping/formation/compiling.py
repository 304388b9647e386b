"""Loops over numbers, compiled by numba and cached on disk. They release the interpreter lock, so that a service answers while they run.

Invariant: importing this module compiles, reads and writes nothing. From the call of `keep` on, compiled loops are looked for on disk and
stored there. The folder is named after the hash of all these sources, since numba does not notice a change of a called function in another
file. A folder that cannot be written costs time and never the start: the user's cache is used then, and begins as a copy of that folder.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba import config

F = TypeVar("F", bound=Callable[..., Any])

_loops: list[Any] = []


def compiled(function: F) -> F:
    """The same function, compiled when it is first called."""
    loop = numba.njit(function, nogil=True, error_model="numpy")
    _loops.append(loop)
    return cast("F", loop)


def keep() -> None:
    """Use the cache on disk for all loops that are not compiled yet."""
    loops, _loops[:] = list(_loops), []
    if loops:
        vars(config)["CACHE_DIR"] = str(_folder())
    for loop in loops:
        loop.enable_caching()


def _folder() -> Path:
    """The cache folder: below `NUMBA_CACHE_DIR` if that is set, else beside the sources."""
    here = Path(__file__).parent
    sources = b"".join(each.read_bytes() for each in sorted(here.glob("*.py")))
    name = hashlib.sha256(sources).hexdigest()[:16]
    kept = Path(os.environ.get("NUMBA_CACHE_DIR") or here / "__pycache__") / name
    if _writable(kept):
        return kept
    own = Path.home() / ".cache" / "ama-lavoro" / name
    if not _writable(own):
        own = Path(tempfile.mkdtemp())
    if kept.is_dir() and not any(own.iterdir()):
        shutil.copytree(kept, own, dirs_exist_ok=True)
    return own


def _writable(folder: Path) -> bool:
    """Make the folder if it is missing; False when it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


_13, _7, _17, _32 = np.uint64(13), np.uint64(7), np.uint64(17), np.uint64(32)


@compiled
def draw(rng: Any, number: int) -> int:
    """A random number from 0 to `number` - 1. `rng` is one unsigned word that is not 0 (xorshift, Marsaglia 2003)."""
    word = rng[0]
    word ^= word << _13
    word ^= word >> _7
    word ^= word << _17
    rng[0] = word
    return np.int64(((word >> _32) * np.uint64(number)) >> _32)  # type: ignore[return-value]
