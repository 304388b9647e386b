"""Shares out the tests among processes, and orders them.

Invariant: tests of one file run in one process, and so do all tests of the home. The home starts once, on an empty bus, and stops after the
last of its tests, so it never takes records of other tests. The longest begin first. Engines that were given are one bus for all, so
one process alone uses them.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[2]


@cache
def at_home(file: str) -> bool:
    """Tell if a file's tests use the home. The process that shares tests out collects none, so it reads the source."""
    return "home: Home" in (ROOT / file).read_text()


def file_of(nodeid: str) -> str:
    """Path of a test's file, from the root."""
    return nodeid.partition("::")[0]


class Sharing(LoadScopeScheduling):  # type: ignore[misc]
    """Keeps each file in one process, and the files of the home together in one."""

    def _split_scope(self, nodeid: str) -> str:
        return "home" if at_home(file_of(nodeid)) else file_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Sharing:
    """Replace the scheduler that `--dist` names."""
    config.option.loadscopereorder = False  # or it begins with what has most tests, not with what comes first
    return Sharing(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put tests of the home first, then tests of the whole system."""
    items.sort(key=lambda item: (not at_home(file_of(item.nodeid)), "tests/system/" not in item.nodeid))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Stop the home after the last of its files. Pytest itself would keep it to the end of the session."""
    yield
    if at_home(file_of(item.nodeid)) and (nextitem is None or not at_home(file_of(nextitem.nodeid))):
        for each in item.session._fixturemanager.getfixturedefs("home", item) or ():
            each.finish(item._request)  # type: ignore[attr-defined]  # a request: it asks nothing of it
