"""A deployment for the tests of each module."""

import uuid
from collections.abc import Iterator

import pytest

from tests.compose.stack import WORKS, Stack


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start a deployment with `make up`."""
    one = Stack(tmp_path_factory.mktemp("operator"), f"amatest{uuid.uuid4().hex[:6]}")
    try:
        refused = one.run("docker", "compose", "up", "--detach", check=False)
        assert refused.returncode
        assert refused.stderr.count("\n") == 1, refused.stderr
        assert "make secrets" in refused.stderr
        one.run("make", "secrets")
        one.address()
        assert WORKS in one.run("make", "up").stdout
        yield one
    finally:
        one.remove()
