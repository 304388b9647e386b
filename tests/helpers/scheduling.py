"""Which tests share a process when several run beside each other, and in what order.

Invariant: a file's tests stay together, and all that ask for the home are in one process: it is started once, on a bus that is empty
yet, stopped after the last of them, and never works off what other tests say. What takes longest begins first. Engines that were given
are one bus for all, so that one process alone uses them.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[2]


@cache
def at_home(file: str) -> bool:
    """Whether its tests ask for the home. The process that shares them out collects none, so it reads how they say it."""
    return "home: Home" in (ROOT / file).read_text()


def file_of(nodeid: str) -> str:
    """Its path from the root."""
    return nodeid.partition("::")[0]


class Sharing(LoadScopeScheduling):  # type: ignore[misc]
    """A file is shared out whole, and the home's files as if they were one."""

    def _split_scope(self, nodeid: str) -> str:
        return "home" if at_home(file_of(nodeid)) else file_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Sharing:
    """Instead of what `--dist` names."""
    config.option.loadscopereorder = False  # or it begins with what has most tests, not with what comes first
    return Sharing(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The home's first, then those of the whole system."""
    items.sort(key=lambda item: (not at_home(file_of(item.nodeid)), "tests/system/" not in item.nodeid))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """After the last of its files the home is left, whoever asked for it: pytest itself would keep it to the end."""
    yield
    if at_home(file_of(item.nodeid)) and (nextitem is None or not at_home(file_of(nextitem.nodeid))):
        for each in item.session._fixturemanager.getfixturedefs("home", item) or ():
            each.finish(item._request)  # type: ignore[attr-defined]  # a request: it asks nothing of it
