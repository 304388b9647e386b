"""Loops over numbers, compiled once by numba and kept on disk. While they run a service answers: they let go of the interpreter.

Invariant: importing this compiles, reads and writes nothing; `keep` says from when on what is compiled is looked for on disk and kept. A
folder that cannot be written costs time, never the start: what was compiled then goes to the user's cache, or to a folder of its own below
the system's temporary one.
"""

import os
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
    for loop in loops:
        try:
            loop.enable_caching()
        except RuntimeError:  # neither beside the source nor in the home folder can anything be written
            vars(config)["CACHE_DIR"] = str(Path(tempfile.gettempdir()) / f"ama-compiled-{os.getuid()}")
            loop.enable_caching()


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
