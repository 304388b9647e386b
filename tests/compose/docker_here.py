"""Detects if this machine can run the compose file. Pytest's header shows the result and the reason.

Without Docker the tests of `test_stack*.py` are deselected. The header is then the only notice: nothing else tests the containers.
"""

import os
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

import pytest

TRIED = sorted(Path(__file__).parent.glob("test_stack*.py"))
IMAGES = {
    "AMA_KAFKA_IMAGE": "apache/kafka:4.3.1",
    "AMA_MONGO_IMAGE": "mongo:8.0.13",
    "AMA_CADDY_IMAGE": "caddy:2.10.2",
    "AMA_MAILPIT_IMAGE": "axllent/mailpit:v1.27.8",
    "AMA_PYTHON_IMAGE": "python:3.11.14-slim-bookworm",
}  # what the compose file asks for, unless the environment names another
PULL = 120.0  # seconds for an image


def pytest_report_header(config: pytest.Config) -> str:
    """Show if the containers are tested."""
    if config.getoption("collectonly"):
        return "compose: only collecting"
    why = lacking()
    return (
        f"compose: NOT TRIED, tests/compose/test_stack*.py are deselected ({why})"
        if why
        else "compose: tried with Docker"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests that need containers when there are none."""
    stack = [item for item in items if item.path in TRIED]
    if stack and not config.getoption("collectonly") and lacking():
        items[:] = [item for item in items if item.path not in TRIED]
        config.hook.pytest_deselected(items=stack)


@lru_cache
def lacking() -> str | None:
    """Give the reason why containers cannot run here; None when they can."""
    forced = os.environ.get("AMA_TEST_ENGINES", "docker")
    if forced != "docker":
        return f"AMA_TEST_ENGINES is {forced}"
    if shutil.which("docker") is None or not _does("docker", "info"):
        return "no Docker engine answers"
    if not _does("docker", "compose", "version"):
        return "this Docker has no compose"
    for image in (os.environ.get(name, image) for name, image in IMAGES.items()):
        if not (_does("docker", "image", "inspect", image) or _does("docker", "pull", "--quiet", image)):
            return f"the Docker engine cannot get {image}"
    return None


def _does(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=PULL, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False
