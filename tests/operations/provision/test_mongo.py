"""On a MongoDB that asks who one is: the set is founded once, and each service has its own database and no other."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import ConnectionFailure, OperationFailure
from typer.testing import CliRunner

from services.cli import app
from services.cli.failures import sentence_of
from services.contracts.topics import SERVICES
from services.engines.mongod import binary
from services.engines.ports import free_port
from services.operations.backup.manifest import Manifest, Part
from services.operations.provision.mongo import found_set, make_users
from services.operations.provision.passwords import make, read
from services.operations.provision.rights import user_of
from services.settings import Settings

UNAUTHORIZED, AUTHENTICATION = 13, 18


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `ama secrets` makes them."""
    folder = tmp_path_factory.mktemp("secrets")
    make(folder)
    return folder


@pytest.fixture(scope="module")
def host(secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A member of no set yet, with an administrator: as the container begins."""
    data, port = tmp_path_factory.mktemp("mongo"), free_port()
    options = [str(binary()), "--dbpath", str(data), "--port", str(port), "--bind_ip", "127.0.0.1", "--nounixsocket"]
    with _running(options, port):
        password = (secrets / "mongo-admin").read_text()
        MongoClient[Any](port=port).admin.command("createUser", "admin", pwd=password, roles=["root"])
    guarded = [
        *options,
        "--replSet",
        "ama",
        "--keyFile",
        str(secrets / "mongo-keyfile"),
        "--wiredTigerCacheSizeGB",
        "0.25",
    ]
    with _running(guarded, port):
        yield f"127.0.0.1:{port}"


class _running:  # noqa: N801  # read as a statement
    def __init__(self, options: list[str], port: int) -> None:
        self._options, self._port = options, port

    def __enter__(self) -> None:
        self._process = subprocess.Popen(self._options, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while True:
            try:
                with MongoClient[Any](port=self._port, directConnection=True, serverSelectionTimeoutMS=200) as client:
                    client.admin.command("hello")
                return
            except ConnectionFailure:
                if time.monotonic() > deadline:
                    self._process.kill()
                    raise

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)


@pytest.fixture(scope="module")
def administrator(host: str, secrets: Path) -> Settings:
    """Settings of the administrator who provisions."""
    password = (secrets / "mongo-admin").read_text()
    return Settings(
        kafka="nowhere:1", mongo=f"mongodb://{host}/?replicaSet=ama", mongo_username="admin", mongo_password=password
    )


def test_a_restore_finds_a_new_mongodb_and_founds_the_set_by_itself(
    administrator: Settings, secrets: Path, tmp_path: Path
) -> None:
    named = {"AMA_KAFKA": f"127.0.0.1:{free_port()}", "AMA_MONGO": administrator.mongo, "AMA_DATA": str(tmp_path)}
    manifest = Manifest(made=datetime.now(UTC), software="x", mongo="x", replica_set="ama", moment=(1, 1), parts={})
    manifest.parts |= {each: Part(database=each, collections={}) for each in SERVICES}
    (tmp_path / "manifest.json").write_text(manifest.model_dump_json())
    restored = CliRunner().invoke(app, ["restore", "--clear", str(tmp_path)], env=named)
    assert restored.exception is not None
    assert "Kafka does not answer" in str(sentence_of(restored.exception)), "which is the next thing that it needs"


@pytest.fixture(scope="module")
async def provisioned(administrator: Settings, secrets: Path) -> Settings:
    """Twice, since it can be run again."""
    for _ in range(2):
        await found_set(administrator)
        await make_users(administrator, read(secrets, "mongo"))
    return administrator


def refusal(client: "MongoClient[Any]", database: str, what: str) -> int | None:
    """Why not; None when it is done."""
    acts: dict[str, Callable[[], Any]] = {
        "read": lambda: client[database].outbox.find_one(),
        "write": lambda: client[database].outbox.insert_one({}),
        "make a user": lambda: client[database].command("createUser", "x", pwd="x", roles=[]),
        "look at users": lambda: client.admin.command("usersInfo", 1),
    }
    try:
        acts[what]()
    except OperationFailure as error:
        return error.code
    return None


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_does_what_it_must_in_its_own_database_and_nothing_in_another(
    provisioned: Settings, host: str, secrets: Path, service: str
) -> None:
    password, user = (secrets / f"mongo-{service}").read_text(), user_of(service, "ama")
    with MongoClient[Any](host, replicaSet="ama", username=user, password=password) as client:
        own = client[user]
        own.create_collection("tried")
        own.tried.create_index("x")
        with client.start_session() as session, session.start_transaction():
            own.tried.insert_one({"x": 1}, session=session)
        with own.tried.watch() as stream:
            assert stream.try_next() is None
        own.tried.drop()
        for other in {*SERVICES} - {service}:
            assert [refusal(client, f"ama_{other}", what) for what in ("read", "write")] == [UNAUTHORIZED] * 2
        assert [refusal(client, user, what) for what in ("make a user", "look at users")] == [UNAUTHORIZED] * 2
        assert client.list_database_names() in ([], [user])


def test_nobody_comes_in_without_a_password(provisioned: Settings, host: str) -> None:
    with MongoClient[Any](host, directConnection=True) as nobody:
        assert refusal(nobody, "ama_enrolment", "read") == UNAUTHORIZED
    with MongoClient[Any](host, directConnection=True, username="ama_enrolment", password="guessed") as guessing:
        assert refusal(guessing, "ama_enrolment", "read") == AUTHENTICATION


@pytest.fixture
def sessions(provisioned: Settings, host: str, secrets: Path) -> dict[str, str]:
    """The environment of a service."""
    given = {"AMA_KAFKA": "127.0.0.1:1", "AMA_MONGO": f"mongodb://{host}/?replicaSet=ama"}
    login = {
        "AMA_MONGO_USERNAME": "ama_sessions",
        "AMA_MONGO_PASSWORD": (secrets / "mongo-sessions").read_text(),
    }
    return {**os.environ, **given, **login, "AMA_KEYS": str(secrets / "keys")}


def ama(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    command = [sys.executable, "-c", "from services.cli import main; main()", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_a_service_that_is_not_let_in_ends_with_one_sentence_that_says_what_to_do(sessions: dict[str, str]) -> None:
    done = ama(sessions | {"AMA_MONGO_PASSWORD": "guessed"}, "serve", "sessions", "--port", "0")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("ama: MongoDB refuses ama_sessions: ")
    assert "`docker compose run --rm --no-deps provision`" in done.stderr


def test_an_administrator_who_is_not_let_in_is_told_which_password_it_must_be(
    sessions: dict[str, str], secrets: Path
) -> None:
    guessed = {"AMA_MONGO_USERNAME": "admin", "AMA_MONGO_PASSWORD": "guessed"}
    done = ama(sessions | guessed, "provision", "--passwords", str(secrets))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("ama: MongoDB refuses admin: an administrator's password is what the engine has")


def test_dead_letters_of_another_service_are_to_be_asked_for_where_it_is(sessions: dict[str, str]) -> None:
    assert ama(sessions, "dead", "list", "sessions").stdout == "No dead letters.\n"
    done = ama(sessions, "dead", "list")
    assert done.returncode == 1
    assert done.stderr.startswith("ama: ama_sessions may not read ama_enrolment: name its own service here")
    assert "`docker compose exec enrolment ama dead list enrolment`" in done.stderr


async def test_a_new_password_and_a_right_too_many_are_set_right(
    provisioned: Settings, host: str, secrets: Path
) -> None:
    passwords = read(secrets, "mongo")
    with MongoClient[Any](provisioned.mongo) as root:
        root.admin.command("grantRolesToUser", "ama_grouping", roles=["readWriteAnyDatabase"])
    await make_users(provisioned, passwords | {"grouping": "another"})
    with MongoClient[Any](host, directConnection=True, username="ama_grouping", password="another") as client:
        assert refusal(client, "ama_enrolment", "read") == UNAUTHORIZED
        assert refusal(client, "ama_grouping", "read") is None
    await make_users(provisioned, passwords)
