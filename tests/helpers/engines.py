"""The engines of the tests: real Kafka and real MongoDB.

The first of these that is there: engines that `AMA_KAFKA` and `AMA_MONGO` name; containers, when a Docker engine has or can get the
images; embedded ones. `AMA_TEST_ENGINES` (env, docker, embedded) forces one. Pytest's header shows which, and why.
"""

import asyncio
import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import docker
import pytest
from docker.errors import DockerException, ImageNotFound
from pymongo import MongoClient
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.exceptions import ContainerStartException

from services.engines import Embedded, Engines, Sasl
from services.engines.kafka import answers
from services.engines.mongod import elected, uri
from services.engines.ports import LOOPBACK, free_port
from tests.helpers.scheduling import at_home, file_of
from tests.helpers.topics import emptied, topic_of_ours

KAFKA_IMAGE = "apache/kafka:4.3.1"
MONGO_IMAGE = "mongo:8.0"
PULL_DEADLINE = 180.0  # seconds for all images together
START_DEADLINE = 60.0  # seconds until a container serves
REPLICA_SET = "rs0"


class ContainerFailed(Exception):
    """Failure of a container that ended or did not serve in time. The text is its last output."""


class Choice(NamedTuple):
    """Kind of engines, and the reason for it."""

    kind: str
    why: str


choice = pytest.StashKey[Choice]()


def pytest_report_header(config: pytest.Config) -> str:
    """Show the kind of engines in pytest's header."""
    if config.getoption("collectonly"):
        return "engines: none, only collecting"
    config.stash[choice] = choose()
    return "engines: {} ({})".format(*config.stash[choice])


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Use one process on engines that were given. It runs before xdist reads the number."""
    if (chosen := by_environment()) and chosen.kind == "env":
        config.option.numprocesses = 0


@pytest.fixture(scope="session")
def running_engines(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """Real engines, started once for all tests of this process."""
    kind, _why = request.config.stash.get(choice, None) or choose()
    with ExitStack() as held:
        if kind == "env":
            running = given()
            if used := asyncio.run(topic_of_ours(running)):
                pytest.exit(f"Kafka at {running.kafka} has {used} already, and tests delete topics: name another.", 4)
            held.callback(lambda: asyncio.run(emptied(running)))
        elif kind == "docker" and (contained := in_containers(held)):
            running = contained
        else:
            running = held.enter_context(Embedded(tmp_path_factory.mktemp("engines")))
        yield running


@pytest.fixture(scope="module")
def engines(request: pytest.FixtureRequest, running_engines: Engines) -> Engines:
    """Real engines with an empty bus, since a new service reads from the first record. In the home's files the bus stays as it is:
    such tests use names of their own."""
    if not at_home(file_of(request.node.nodeid)):
        asyncio.run(emptied(running_engines))
    return running_engines


def choose() -> Choice:
    """Choose the engines: forced ones first, then containers, then embedded."""
    if chosen := by_environment():
        return chosen
    if lacking := without_docker():
        return Choice("embedded", lacking)
    return Choice("docker", f"{KAFKA_IMAGE} and {MONGO_IMAGE}")


def by_environment() -> Choice | None:
    """Read the choice of the environment; None without one. UsageError for a word that is none of the three."""
    if forced := os.environ.get("AMA_TEST_ENGINES"):
        if forced not in {"env", "docker", "embedded"}:
            raise pytest.UsageError(f"AMA_TEST_ENGINES is {forced!r}, not env, docker or embedded.")
        return Choice(forced, "AMA_TEST_ENGINES says so")
    if os.environ.get("AMA_KAFKA") and os.environ.get("AMA_MONGO"):
        return Choice("env", "AMA_KAFKA and AMA_MONGO are set")
    return None


def given() -> Engines:
    """Addresses of the engines that the environment names."""
    user = os.environ.get("AMA_SASL_USERNAME")
    sasl = Sasl(user, os.environ["AMA_SASL_PASSWORD"]) if user else None
    return Engines(os.environ["AMA_KAFKA"], os.environ["AMA_MONGO"], sasl)


def without_docker() -> str | None:
    """Give the reason why containers cannot serve here; None when they can."""
    needed = [KAFKA_IMAGE, MONGO_IMAGE]
    if not testcontainers_config.ryuk_disabled:
        needed.append(testcontainers_config.ryuk_image)
    try:
        client = docker.from_env(timeout=5)
        client.ping()
    except DockerException:
        return "no Docker engine answers"
    deadline = time.monotonic() + PULL_DEADLINE
    for image in needed:
        try:
            client.images.get(image)
        except ImageNotFound:
            if not pulled(image, deadline - time.monotonic()):
                return f"the Docker engine cannot get {image}"
    return None


def pulled(image: str, patience: float) -> bool:
    """Pull an image, giving up after `patience` seconds."""
    got: list[str] = []

    def pull() -> None:
        try:
            got.append(docker.from_env(timeout=int(PULL_DEADLINE)).images.pull(*image.rsplit(":", 1)).id)
        except DockerException as error:
            warnings.warn(f"{image} could not be pulled: {error}", stacklevel=1)

    puller = threading.Thread(target=pull, daemon=True)
    puller.start()
    puller.join(max(patience, 0))
    return bool(got)


def in_containers(held: ExitStack) -> Engines | None:
    """Start engines in containers. None, with a warning, when they fail and nothing forced them."""
    try:
        return held.enter_context(containers())
    except (ContainerFailed, ContainerStartException, DockerException) as error:
        if os.environ.get("AMA_TEST_ENGINES") == "docker":
            raise
        warnings.warn(f"The engines are embedded after all: {error}", stacklevel=1)
        return None


@contextmanager
def containers() -> Iterator[Engines]:
    """Kafka and MongoDB in containers, each at a port that its clients reach."""
    port = free_port()
    kafka = DockerContainer(KAFKA_IMAGE).with_bind_ports(9092, port)
    mongo = (
        DockerContainer(MONGO_IMAGE).with_exposed_ports(27017).with_command(f"--replSet {REPLICA_SET} --bind_ip_all")
    )
    host = kafka.get_docker_client().host().replace("localhost", LOOPBACK)
    for name, value in kafka_environment(f"{host}:{port}").items():
        kafka.with_env(name, value)
    with ThreadPoolExecutor(2) as pool:
        starts = [pool.submit(kafka.start), pool.submit(mongo.start)]
    try:
        for start in starts:
            start.result()
        address = f"{host}:{mongo.get_exposed_port(27017)}"
        with ThreadPoolExecutor(2) as pool:
            waits = [
                pool.submit(until, lambda: asyncio.run(answers(f"{host}:{port}", None)), kafka),
                pool.submit(wait_for_mongo, address, mongo),
            ]
        for wait in waits:
            wait.result()
        yield Engines(f"{host}:{port}", uri(address, REPLICA_SET))
    finally:
        with ThreadPoolExecutor(2) as pool:
            ends = [pool.submit(container.stop) for container in (kafka, mongo)]
        for end in ends:
            end.result()


def kafka_environment(address: str) -> dict[str, str]:
    """Settings of the Kafka container: one node, with the short delays of the embedded one. The broker reaches itself by a listener
    of its own, since the clients' address leads nowhere inside the container."""
    return {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": "CLIENT://:9092,BROKER://localhost:9094,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"CLIENT://{address},BROKER://localhost:9094",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CLIENT:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "BROKER",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "10",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS": "10",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_LOG_RETENTION_MS": "-1",
    }


def wait_for_mongo(address: str, container: DockerContainer) -> None:
    """Initiate the replica set under the server's own address, and wait for its primary."""
    with MongoClient[dict[str, Any]](
        f"mongodb://{address}/?directConnection=true", serverSelectionTimeoutMS=500
    ) as client:
        until(lambda: elected(client, REPLICA_SET, "127.0.0.1:27017"), container)


def until(serves: Callable[[], bool], container: DockerContainer) -> None:
    """Wait until the container serves. ContainerFailed with its last output when it does not."""
    deadline = time.monotonic() + START_DEADLINE
    wrapped = container.get_wrapped_container()
    while not serves():
        wrapped.reload()
        if wrapped.status == "exited" or time.monotonic() > deadline:
            raise ContainerFailed(
                f"{container.image} does not serve: {wrapped.logs(tail=5).decode(errors='replace').strip()}"
            )
        time.sleep(0.1)
