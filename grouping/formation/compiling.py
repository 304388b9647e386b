"""Loops over numbers, compiled by numba and cached on disk. They release the interpreter lock, so that a service answers while they run.

Invariant: importing this module compiles, reads and writes nothing. From the call of `keep` on, compiled loops are looked for in the folder
of `caching` and stored there. A loop is compiled for one kind of arguments alone, so that a problem of a new shape finds every loop ready:
arrays are in one order (`pool.in_one_order`), and constants are taken as any numbers.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba import config

from grouping.formation import caching

F = TypeVar("F", bound=Callable[..., Any])

_loops: list[Any] = []


def compiled(function: F) -> F:
    """The same function, compiled when it is first called: once, whichever numbers are constants where it is called."""
    return _loop(function, from_python=True)


def inner(function: F) -> F:
    """The same for a function that only loops call: without the code that takes Python's objects apart, which is half of the compilation.
    A call from Python would end the process."""
    return _loop(function, from_python=False)


def _loop(function: F, *, from_python: bool) -> F:
    options = {"no_cfunc_wrapper": True, "no_cpython_wrapper": not from_python}  # numba's type stubs do not know them
    loop: Any = numba.njit(function, nogil=True, error_model="numpy", **options)  # type: ignore[call-overload]
    loop.get_call_template = partial(_without_constants, loop.get_call_template)
    _loops.append(loop)
    return cast("F", loop)


def _without_constants(template: Callable[..., Any], args: tuple[Any, ...], kws: dict[str, Any]) -> Any:
    """numba's answer for a call from another loop. A constant is taken as any number: otherwise each makes a compilation of its own."""
    return template(tuple(numba.types.unliteral(each) for each in args), kws)  # type: ignore[no-untyped-call]


def keep() -> None:
    """Use the cache on disk for all loops that are not compiled yet."""
    loops, _loops[:] = list(_loops), []
    if loops:
        vars(config)["CACHE_DIR"] = str(caching.folder())
    for loop in loops:
        loop.enable_caching()


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
