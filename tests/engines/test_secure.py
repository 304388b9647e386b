"""Embedded Kafka with users: nobody connects without a password, and nobody does what was not allowed."""

import asyncio
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    TopicAuthorizationFailedError,
)
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from services.engines import Embedded, EngineError, Engines, Sasl
from services.engines.kafka import answers, login_of
from services.engines.mongod import Mongod
from services.engines.ports import Ports
from services.events.bus.client import Bus
from services.events.bus.log_dirs import Disk, broker_disks
from services.operations.provision.kafka_users import add_user, allow, remove_user
from services.operations.provision.rights import Operation
from services.runtime.login_errors import explained
from services.settings import Misconfigured, Settings
from tests.helpers.traffic import consume, make_topic, produce, read, subscribe, write

FEED = "ama.feed.cgil"
INTERNAL = "ama.enrolment"
PARTNER = Sasl("cgil", "a password, of 'any' \"kind\"")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that was served plainly before."""
    data = tmp_path_factory.mktemp("secure")
    with Embedded(data) as engines:
        asyncio.run(make_topic(engines, INTERNAL))
        write(engines, INTERNAL, "before")
    return data


@pytest.fixture(scope="module")
def secured(folder: Path) -> Iterator[Engines]:
    """Engines with a partner that may read its feed."""
    with Embedded(folder, secure=True) as engines:
        asyncio.run(make_topic(engines, FEED))
        write(engines, FEED, "for the partner")
        asyncio.run(add_user(engines, PARTNER.username, PARTNER.password))
        asyncio.run(allow(engines, PARTNER.username, [Operation.READ], topic=FEED, group=PARTNER.username))
        yield engines


def test_a_folder_that_was_plain_keeps_everything_when_it_is_served_with_users(secured: Engines) -> None:
    assert read(secured, INTERNAL) == (["before"], ["before"])


@pytest.mark.parametrize(
    "who", [None, Sasl("nobody", "x"), Sasl("cgil", "wrong"), Sasl("admin", "admin"), Sasl("cgil", "x", "PLAIN")]
)
def test_who_is_unknown_or_has_the_wrong_password_is_refused(secured: Engines, who: Sasl | None) -> None:
    assert not asyncio.run(answers(secured.kafka, who))


async def test_a_wrong_password_is_told_by_name_and_a_broker_that_is_away_is_not_taken_for_one(
    secured: Engines,
) -> None:
    def as_known(kafka: str, password: str) -> Settings:
        return Settings(kafka=kafka, mongo="nowhere", sasl_username="cgil", sasl_password=password)

    async def enters(given: Settings) -> None:
        async with explained(given):
            await Bus(given).ping()

    await enters(as_known(secured.kafka, PARTNER.password))
    with pytest.raises(Misconfigured, match=r"^Kafka refuses cgil: .*docker compose run --rm --no-deps provision"):
        await enters(as_known(secured.kafka, "wrong"))
    with pytest.raises(KafkaConnectionError):
        await enters(as_known("127.0.0.1:1", PARTNER.password))


def test_a_user_reads_and_commits_what_it_was_allowed(secured: Engines) -> None:
    assert asyncio.run(consume(secured, PARTNER, FEED, PARTNER.username)) == ["for the partner"]


def test_a_user_does_nothing_else(secured: Engines) -> None:
    with pytest.raises(TopicAuthorizationFailedError):
        asyncio.run(subscribe(secured, PARTNER, INTERNAL, PARTNER.username))
    with pytest.raises(TopicAuthorizationFailedError):
        asyncio.run(produce(secured, PARTNER, FEED, "forged", transaction=None))
    with pytest.raises(GroupAuthorizationFailedError):
        asyncio.run(subscribe(secured, PARTNER, FEED, "another group"))
    with pytest.raises(EngineError, match="refused"):
        asyncio.run(allow(replace(secured, sasl=PARTNER), PARTNER.username, [Operation.READ], topic=INTERNAL))
    assert read(secured, FEED)[0] == ["for the partner"]


async def disks(engines: Engines, who: Sasl) -> dict[str, Disk]:
    client = AIOKafkaClient(bootstrap_servers=engines.kafka, **login_of(who))
    try:
        await client.bootstrap()
        return await broker_disks(client)
    finally:
        await client.close()


def test_a_broker_tells_of_its_disks_to_whom_it_may_and_to_nobody_else(secured: Engines) -> None:
    assert secured.sasl is not None
    (disk,) = asyncio.run(disks(secured, secured.sasl)).values()
    assert 0 < disk.available <= disk.size
    with pytest.raises(ClusterAuthorizationFailedError):
        asyncio.run(disks(secured, PARTNER))


def test_the_controllers_door_asks_for_a_password_too(secured: Engines, folder: Path) -> None:
    port = json.loads((folder / "ports.json").read_text())["kafka-controller"]
    for who in (None, PARTNER, secured.sasl, replace(PARTNER, mechanism="PLAIN")):
        assert not asyncio.run(answers(f"127.0.0.1:{port}", who))


def test_a_user_that_was_removed_comes_in_no_more(secured: Engines) -> None:
    leaver = Sasl("leaver", "secret")
    asyncio.run(add_user(secured, leaver.username, leaver.password))
    assert asyncio.run(answers(secured.kafka, leaver))
    asyncio.run(remove_user(secured, leaver.username))
    assert not asyncio.run(answers(secured.kafka, leaver))


def test_a_new_password_replaces_the_old_one(secured: Engines) -> None:
    asyncio.run(add_user(secured, "uil", "old"))
    asyncio.run(add_user(secured, "uil", "new"))
    assert [asyncio.run(answers(secured.kafka, Sasl("uil", password))) for password in ("old", "new")] == [False, True]


def test_no_password_can_be_read_by_others(secured: Engines, folder: Path) -> None:
    assert secured.sasl
    assert secured.sasl.password not in repr(secured)
    assert folder.stat().st_mode & 0o077 == 0
    holders = [path for path in folder.glob("kafka/*") if path.is_file() and secured.sasl.password in path.read_text()]
    assert {path.name for path in holders} == {"passwords.json", "server.properties"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in holders)
    assert all(secured.sasl.password not in path.read_text(errors="replace") for path in folder.glob("logs/*"))


def test_rights_cannot_be_given_where_they_are_not_checked(tmp_path: Path) -> None:
    with Embedded(tmp_path) as plain, pytest.raises(EngineError, match="No Authorizer"):
        asyncio.run(allow(plain, "cgil", [Operation.READ], topic=FEED))


# MongoDB lets a wrong password wait for ten seconds.
@pytest.mark.parametrize(
    "login",
    ["", "admin:admin@", *(pytest.param(each, marks=pytest.mark.long) for each in ("nobody:x@", "__system:x@"))],
)
def test_who_has_no_password_reads_and_makes_nothing_in_mongodb(secured: Engines, login: str) -> None:
    with MongoClient[dict[str, Any]](f"mongodb://{login}{secured.mongo.rpartition('@')[2]}") as stranger:
        with pytest.raises(OperationFailure):
            stranger["ama_enrolment"]["worker"].find_one()
        with pytest.raises(OperationFailure):
            stranger.admin.command("createUser", "mine", pwd="x", roles=["root"])


def test_a_folder_that_was_plain_keeps_its_documents_when_mongodb_asks_for_a_password(tmp_path: Path) -> None:
    lock = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    for number, secure in enumerate((False, True, True, False)):
        node = Mongod(tmp_path / "mongo", tmp_path / "mongod.log", secure=secure)
        # Each start takes another port, so that the node gets another name as well.
        with MongoClient[dict[str, Any]](node.start(Ports(tmp_path / f"ports-{number}.json"), lock)) as client:
            client["kept"]["one"].insert_one({"_id": number})
            assert client["kept"]["one"].count_documents({}) == number + 1
        node.stop()
    os.close(lock)


def test_the_password_of_mongodb_is_readable_by_its_owner_alone(secured: Engines, folder: Path) -> None:
    password = secured.mongo.partition("admin:")[2].partition("@")[0]
    assert len(password) >= 32
    assert password not in repr(secured)
    holders = [path for path in folder.glob("mongo-access/*") if path.is_file()]
    assert {path.name for path in holders} == {"admin", "keyfile"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in holders)
    secrets = [path.read_text() for path in holders]
    for path in folder.glob("logs/*"):
        assert not [secret for secret in secrets if secret in path.read_text(errors="replace")]
