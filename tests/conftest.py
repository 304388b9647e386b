"""Plugins of all tests. Fixtures of one folder are in its own `conftest.py`."""

pytest_plugins = [
    "tests.helpers.logs",
    "tests.helpers.randomness",
    "tests.helpers.scheduling",
    "tests.helpers.engines",
    "tests.helpers.services",
    "tests.helpers.own_programme",
    "tests.compose.docker_here",
]
