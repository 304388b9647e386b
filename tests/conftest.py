"""Plugins of all tests. Fixtures of one folder are in its own `conftest.py`."""

pytest_plugins = [
    "tests.helpers.randomness",
    "tests.processes",
    "tests.engine_fixtures",
    "tests.compose.docker_here",
    "tests.harness",
]
