"""Random searches: the same in every `make test`, new ones in every `make explore`.

Invariant: a test takes its randomness from hypothesis or from `chance`, so that the profile alone decides between the two. What
`make explore` finds becomes an `@example` of its test, or a test of its own.
"""

import os
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

FIXED, EXPLORE = "fixed", "explore"
TIMES = 20  # examples in `make explore` for one in `make test`
SETTINGS = (
    "_hypothesis_internal_use_settings"  # private to hypothesis (6.170); test_repeatable.py fails when it changes
)

# Two runs must end alike, so the fixed profile measures no time: a machine that stands still for a moment is not a fault of the code.
settings.register_profile(
    FIXED, derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(EXPLORE, derandomize=False, max_examples=100, print_blob=True)
settings.load_profile(EXPLORE if os.environ.get("AMA_EXPLORE") == "1" else FIXED)


def exploring() -> bool:
    """Tell if this run searches at random: `AMA_EXPLORE=1` or `--hypothesis-profile explore`."""
    return not settings().derandomize


def chance(seed: int = 1) -> random.Random:
    """Give a source of random numbers. `make explore` replaces the seed and prints the new one."""
    if exploring():
        seed = random.SystemRandom().randrange(10**6)
        print(f"seed: {seed}")
    return random.Random(seed)


@pytest.hookimpl(tryfirst=True)  # before `-m` selects by marker
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each property as `explore`. When exploring, raise the number of its examples."""
    raised: set[Callable[..., Any]] = set()
    for item in items:
        if not isinstance(item, pytest.Function) or not is_hypothesis_test(item.obj):
            continue
        item.add_marker("explore")
        function = getattr(item.obj, "__func__", item.obj)
        if exploring() and function not in raised:  # the cases of a parametrized test share it
            asked = getattr(function, SETTINGS)
            setattr(function, SETTINGS, settings(asked, max_examples=TIMES * asked.max_examples))
            raised.add(function)
