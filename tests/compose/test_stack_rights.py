"""Limits and rights of each container of a deployment: memory, files, users, paths, databases, topics and feeds."""

import json

import httpx
import pytest

from tests.compose.stack import OURS, Stack, service_of

pytestmark = pytest.mark.timeout(1200)


def test_every_container_is_held_to_its_limits(stack: Stack) -> None:
    for each in stack.containers():
        host, name = each["HostConfig"], service_of(each)
        assert 0 < host["Memory"] == host["MemorySwap"] <= 1 << 30, name
        assert host["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}, name
        assert host["RestartPolicy"]["Name"] == ("no" if name == "provision" else "unless-stopped"), name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        if name in OURS:
            assert each["Config"]["User"] == "1000:1000", name
            assert host["ReadonlyRootfs"], name
            assert host["CapDrop"] == ["ALL"], name
            assert not host["PortBindings"], name


def test_a_service_writes_nowhere_compiles_nothing_and_has_its_own_secrets_alone(stack: Stack) -> None:
    program = """
import os, shutil
print(os.getuid(), [shutil.which(name) for name in ("cc", "gcc", "c++", "make", "pip")][:4], sorted(os.listdir("/run/secrets")))
open("/opt/ama/x", "w")
"""
    done = stack.python("grouping", program)
    assert (
        done.stdout.strip()
        == "1000 [None, None, None, None] ['ama_mongo_password', 'ama_sasl_password', 'grouping.jwk']"
    )
    assert "Read-only file system" in done.stderr


def test_the_limit_of_memory_holds(stack: Stack) -> None:
    done = stack.python("analytics", "held = [bytearray(50 << 20) for _ in range(40)]; print('all')")
    assert done.returncode
    assert "all" not in done.stdout
    stack.until("analytics is healthy again", stack.healthy)


def test_only_public_paths_are_answered_and_with_headers_that_browsers_go_by(stack: Stack) -> None:
    def status(path: str) -> int:
        return httpx.get(f"http://{stack.base()}{path}", timeout=30, trust_env=False).status_code

    public = ["/enrolment/docs", "/analytics/openapi.json", "/issuer/.well-known/openid-configuration"]
    assert [status(path) for path in public] == [200] * 3
    closed = [
        "/enrolment/healthz", "/grouping/readyz", "/enrolment//readyz", "/enrolment/%72eadyz",
        "/metrics", "/kafka/", "/mongo/", "/provision/",
    ]  # fmt: skip
    assert [status(path) for path in closed] == [404] * len(closed)
    answer = httpx.get(f"http://{stack.base()}/enrolment/docs", trust_env=False)
    assert answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "Server" not in answer.headers
    published = {service_of(each): each["HostConfig"]["PortBindings"] for each in stack.containers()}
    outside = {name: ports for name, ports in published.items() if ports}
    assert list(outside) == ["caddy"]
    assert all(binding["HostIp"] == "127.0.0.1" for port in outside["caddy"].values() for binding in port)


MONGO = """
from pymongo import MongoClient
from pymongo.errors import OperationFailure
from services.settings import from_environment
given = from_environment()
def tried(what):
    try:
        what()
    except OperationFailure as error:
        return error.code
    return "done"
client = MongoClient(given.mongo)
mine, other = client[{mine!r}], client[{other!r}]
stranger = MongoClient(given.mongo.replace(given.mongo_password, "guessed"))
print(tried(mine.outbox.find_one), tried(other.outbox.find_one), tried(lambda: other.outbox.insert_one({{}})),
      tried(lambda: mine.command("createUser", "x", pwd="x", roles=[])), tried(lambda: client.admin.command("usersInfo", 1)),
      client.list_database_names() == [mine.name], tried(stranger[mine.name].outbox.find_one))
"""
SERVICES = ("enrolment", "grouping", "sessions", "notifications", "analytics")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_its_own_database_and_no_other(stack: Stack, service: str) -> None:
    other = SERVICES[SERVICES.index(service) - 1]
    done = stack.python(service, MONGO.format(mine=f"ama_{service}", other=f"ama_{other}"))
    assert done.stdout.strip() == "done 13 13 13 13 True 18", done.stderr


KAFKA = """
import asyncio
from aiokafka import AIOKafkaConsumer
from services.events.bus.client import Bus
from services.settings import from_environment
async def look():
    reader = AIOKafkaConsumer({topic!r}, **Bus(from_environment()).client(), group_id="ama_{service}.tried", auto_offset_reset="earliest")
    try:
        await reader.start()
        await asyncio.wait_for(reader.getone(), 30)
        return "read"
    except Exception as error:
        return type(error).__name__
    finally:
        await reader.stop()
print(asyncio.run(look()))
"""


def test_a_service_reads_on_the_bus_what_is_for_it(stack: Stack) -> None:
    for service, topic, outcome in [
        ("grouping", "ama.enrolment", "read"),
        ("grouping", "ama.enrolment.contacts", "TopicAuthorizationFailedError"),
        ("sessions", "ama.enrolment.restricted", "TopicAuthorizationFailedError"),
    ]:
        done = stack.python(service, KAFKA.format(service=service, topic=topic))
        assert done.stdout.strip() == outcome, done.stderr


FEED = """
import asyncio, json
from aiokafka import AIOKafkaConsumer
settings = json.loads({settings!r})
async def look():
    reader = AIOKafkaConsumer(settings["AMA_FEED_TOPIC"], bootstrap_servers=settings["AMA_FEED_KAFKA"], group_id="prova.desk",
        auto_offset_reset="earliest", isolation_level="read_committed", security_protocol="SASL_PLAINTEXT",
        sasl_mechanism=settings["AMA_FEED_MECHANISM"],
        sasl_plain_username=settings["AMA_FEED_USER"], sasl_plain_password=settings["AMA_FEED_PASSWORD"])
    await reader.start()
    try:
        while True:
            one = await asyncio.wait_for(reader.getone(), 60)
            kind = json.loads(one.value)["type"]
            print(kind)
            if kind == "it.amalavoro.feed.worker.erased.v1":
                return
    finally:
        await reader.stop()
asyncio.run(look())
"""


def test_a_partner_reads_its_feed_as_a_user_of_its_own(stack: Stack) -> None:
    printed = stack.compose("run", "--rm", "--no-deps", "-T", "provision", "partners", "user", "prova")
    settings = dict(line.split("=", 1) for line in printed.splitlines() if "=" in line)
    assert settings["AMA_FEED_TOPIC"] == "ama.feed.prova"
    done = stack.python("grouping", FEED.format(settings=json.dumps(settings)))
    kinds = {line.removeprefix("it.amalavoro.feed.worker.").removesuffix(".v1") for line in done.stdout.split()}
    assert kinds >= {"referred", "admitted", "seated", "erased"}, done.stderr
