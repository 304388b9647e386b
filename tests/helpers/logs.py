"""Logs of a test: no test inherits the level that a command of an earlier one has set for the whole process."""

import logging

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Give the root logger its usual level. A command that runs in this process sets another one, and does not end with its test."""
    logging.getLogger().setLevel(logging.WARNING)
