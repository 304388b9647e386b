"""The undocumented members of PyMongo and Motor are as they were when `services/store/workarounds.py` was written."""

import ast
from importlib.metadata import version
from inspect import getsource, signature
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from motor.core import AgnosticClient
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession
from pymongo import MongoClient
from pymongo.synchronous.collection import Collection
from pymongo.synchronous.database import Database
from pymongo.synchronous.pool import Pool
from pymongo.synchronous.server import Server

from services.store import workarounds

FOLDER = Path(workarounds.__file__).parent


@pytest.fixture
def client() -> Any:
    """A client that connects to nothing."""
    return AsyncIOMotorClient[dict[str, Any]]("mongodb://127.0.0.1:1/", connect=False)


@pytest.mark.parametrize("library", workarounds.SEEN_IN)
def test_a_library_has_the_version_whose_source_was_read(library: str) -> None:
    installed = version(library)
    assert installed.startswith(f"{workarounds.SEEN_IN[library]}."), f"read the source of {library} {installed} again"


def test_motor_has_pymongos_objects_behind_its_own(client: Any) -> None:
    assert type(workarounds.driver_of(client)) is MongoClient
    assert type(workarounds.driver_of(client["x"])) is Database
    assert type(workarounds.driver_of(client["x"]["y"])) is Collection


def test_a_session_of_motor_is_made_of_one_of_pymongo_and_the_client(client: Any) -> None:
    session = workarounds.new_session(client)
    assert isinstance(session, AsyncIOMotorClientSession)
    assert session.client is client
    assert not workarounds.driver_of(session).in_transaction
    assert list(signature(AsyncIOMotorClientSession.__init__).parameters) == ["self", "delegate", "motor_client"]
    assert "self.delegate.start_session" in getsource(AgnosticClient) or "start_session" in vars(AgnosticClient)


def test_the_pools_of_a_client_are_found_and_reset(client: Any) -> None:
    reset = list[str]()
    assert workarounds.driver_of(client)._topology._servers == {}
    pool = SimpleNamespace(reset_without_pause=lambda: reset.append("a"))
    workarounds.driver_of(client)._topology._servers["a"] = SimpleNamespace(pool=pool)
    workarounds.drop_connections(client)
    del workarounds.driver_of(client)._topology._servers["a"]
    assert reset == ["a"]
    assert isinstance(Server.pool, property)
    assert list(signature(Pool.reset_without_pause).parameters) == ["self"]


def test_no_other_module_of_the_package_uses_them() -> None:
    found = {
        path.name
        for path in FOLDER.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and (node.attr == "delegate" or (node.attr.startswith("_") and not _own(node)))
    }
    assert found == {"workarounds.py"}


def _own(node: ast.Attribute) -> bool:
    """A private attribute of `self` or `cls` is the module's own, and `__init__` is no library's."""
    return node.attr.startswith("__") or (isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"})
