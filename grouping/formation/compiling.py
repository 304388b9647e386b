"""Loops over numbers, compiled once by numba and kept on disk. While they run a service answers: they let go of the interpreter.

Invariant: importing this compiles, reads and writes nothing; `keep` says from when on what is compiled is looked for on disk and kept, in a
folder named after all of these sources, since numba does not see that what a function calls in another file has changed. A folder that
cannot be written costs time, never the start: then all is kept in the user's cache, which begins as a copy of it.
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
    """Look on disk for what is not compiled yet, and keep there what is compiled from now on."""
    loops, _loops[:] = list(_loops), []
    if loops:
        vars(config)["CACHE_DIR"] = str(_folder())
    for loop in loops:
        loop.enable_caching()


def _folder() -> Path:
    """Where it is kept: in what `NUMBA_CACHE_DIR` names, else beside the sources."""
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
    """Make it where it is not there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


_13, _7, _17, _32 = np.uint64(13), np.uint64(7), np.uint64(17), np.uint64(32)


@compiled
def draw(dice: Any, number: int) -> int:
    """Below `number`. `dice` is one unsigned word that is not 0 (xorshift, Marsaglia 2003)."""
    word = dice[0]
    word ^= word << _13
    word ^= word >> _7
    word ^= word << _17
    dice[0] = word
    return np.int64(((word >> _32) * np.uint64(number)) >> _32)  # type: ignore[return-value]
