"""The deployment of `make secrets` and `make up` in real containers: complete, closed to strangers, and limited.

The tests of a module follow each other on one deployment.
"""

import json
import re
import ssl
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.compose.stack import Stack, service_of

pytestmark = pytest.mark.timeout(1200)
OURS = {"enrolment", "grouping", "sessions", "notifications", "analytics", "issuer", "console", "provision"}
ENGINES = {"kafka", "mongo", "caddy"}
WORKS = "It works"
REFERRED = {"partner": "cgil", "person": {"given_name": "Ada", "family_name": "Resta"}}


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
        assert WORKS in one.run("make", "up").stdout
        yield one
    finally:
        one.remove()


@pytest.fixture(scope="module")
def worker(stack: Stack) -> str:
    """A worker whose data must survive every test."""
    made = stack.call("operator", "POST", "/enrolment/referrals", REFERRED)
    assert made.status_code == 201, made.text
    return str(made.json()["worker"])


def is_there(stack: Stack, worker: str) -> bool:
    """Tell if enrolment reads the worker's name (database and key) and the desk lists them (bus)."""
    seen = stack.call("operator", "GET", f"/enrolment/workers/{worker}")
    desk = stack.call("operator", "GET", "/enrolment/workers")
    return (
        seen.status_code == 200
        and seen.json()["card"]["family_name"] == "Resta"
        and worker in {row["worker"] for row in desk.json()}
    )


def test_everything_is_healthy_and_what_runs_once_has_ended_well(stack: Stack) -> None:
    assert {service_of(each) for each in stack.containers()} == OURS | ENGINES
    assert stack.healthy()


def test_making_secrets_again_changes_none(stack: Stack) -> None:
    files = [path for path in (stack.folder / "secrets").rglob("*") if path.is_file()]
    before = {path: path.read_bytes() for path in files}
    assert len(before) == 25
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert len({text for text in before.values() if len(text) == 43}) == 12
    stack.run("make", "secrets")
    assert {path: path.read_bytes() for path in files} == before


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
told = json.loads({told!r})
async def look():
    reader = AIOKafkaConsumer(told["AMA_FEED_TOPIC"], bootstrap_servers=told["AMA_FEED_KAFKA"], group_id="prova.desk",
        auto_offset_reset="earliest", isolation_level="read_committed", security_protocol="SASL_PLAINTEXT",
        sasl_mechanism=told["AMA_FEED_MECHANISM"],
        sasl_plain_username=told["AMA_FEED_USER"], sasl_plain_password=told["AMA_FEED_PASSWORD"])
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
    told = dict(line.split("=", 1) for line in printed.splitlines() if "=" in line)
    assert told["AMA_FEED_TOPIC"] == "ama.feed.prova"
    done = stack.python("grouping", FEED.format(told=json.dumps(told)))
    kinds = {line.removeprefix("it.amalavoro.feed.worker.").removesuffix(".v1") for line in done.stdout.split()}
    assert kinds >= {"referred", "admitted", "seated", "erased"}, done.stderr


def test_with_a_domain_the_door_speaks_tls_by_itself(stack: Stack, tmp_path: Path) -> None:
    stack.compose("up", "--detach", "--no-deps", "--wait", "caddy", AMA_SITE="localhost")
    authority = tmp_path / "root.crt"
    stack.until(
        "the authority is there",
        lambda: (
            not stack.run(
                "docker",
                "compose",
                "cp",
                "caddy:/data/caddy/pki/authorities/local/root.crt",
                str(authority),
                check=False,
            ).returncode
        ),
    )
    port = stack.base(443).rpartition(":")[2]
    trusting = ssl.create_default_context(cafile=str(authority))
    answer = httpx.get(f"https://localhost:{port}/enrolment/docs", verify=trusting, timeout=30, trust_env=False)
    assert answer.status_code == 200
    assert int(re.findall(r"max-age=(\d+)", answer.headers["Strict-Transport-Security"])[0]) >= 31_536_000
    stack.compose("up", "--detach", "--no-deps", "--wait", "caddy")


SHARES = """
import asyncio
from aiokafka.admin import AIOKafkaAdminClient
from services.events.bus.client import Bus
from services.settings import from_environment
async def look():
    admin = AIOKafkaAdminClient(**Bus(from_environment()).client())
    await admin.start()
    try:
        told = await admin.describe_consumer_groups(["ama_enrolment.reactions"])
        return [bool(member[4]) for answer in told for group in answer.groups for member in group[5]]
    finally:
        await admin.close()
print(asyncio.run(look()))
"""


def test_two_copies_of_a_service_share_the_work_and_one_alone_goes_on(stack: Stack, worker: str) -> None:
    stack.compose("up", "--detach", "--no-recreate", "--scale", "enrolment=2", "--wait", "enrolment")
    assert len(stack.of("enrolment")) == 2

    def members() -> int:
        done = stack.run(
            "docker", "compose", "run", "--rm", "--no-deps", "-T", "--entrypoint", "python", "provision", "-c", SHARES
        )
        return done.stdout.count("True")

    stack.until("both hold partitions", lambda: members() == 2)
    assert WORKS in stack.smoke()
    first = min(stack.of("enrolment"), key=lambda each: each["Created"])
    stack.run("docker", "stop", "--time", "30", first["Id"])
    assert WORKS in stack.smoke()
    assert is_there(stack, worker)
    stack.compose("up", "--detach", "--scale", "enrolment=1", "--wait", "enrolment")


@pytest.mark.parametrize("service", ["enrolment", "kafka", "mongo", "caddy"])
def test_what_is_killed_comes_back_by_itself_with_everything(stack: Stack, worker: str, service: str) -> None:
    [one] = stack.of(service)
    kill = "kill -9 $(cat /proc/1/task/1/children)" if one["HostConfig"].get("Init") else "kill -TERM 1"
    stack.run("docker", "exec", one["Id"], "sh", "-c", kill, check=False)  # the shell ends with it

    def back() -> bool:
        return bool(stack.of(service)[0]["RestartCount"] > one["RestartCount"]) and stack.healthy()

    stack.until(f"{service} is back", back)
    assert WORKS in stack.smoke()
    assert is_there(stack, worker)


def test_restarted_or_taken_down_and_up_again_nothing_is_lost(stack: Stack, worker: str) -> None:
    def held() -> dict[str, Any]:
        told: dict[str, Any] = stack.call("operator", "GET", "/analytics/indicators").json()
        return told

    before = held()
    stack.compose("restart", "--timeout", "60")
    stack.until("all is healthy again", stack.healthy)
    assert is_there(stack, worker)
    stack.run("make", "down")
    assert not stack.compose("ps", "--all", "--quiet").strip()
    assert WORKS in stack.run("make", "up").stdout
    assert is_there(stack, worker)
    assert held() == before


def test_a_backup_is_taken_and_put_back_and_a_person_is_erased_by_the_commands_of_the_docs(
    stack: Stack, worker: str
) -> None:
    gone = stack.call("operator", "POST", "/enrolment/referrals", REFERRED).json()["worker"]
    stack.run(
        "make", "backup", "ARGS=kept --keys people.keys", environment={"AMA_BACKUP_PASSPHRASE": "a long enough one"}
    )
    erase = ("run", "--rm", "--no-deps", "smoke", "person", "erase", gone, "--programme", "monza-brianza", "--yes")
    assert f"{gone} is erased" in " ".join(stack.compose(*erase).split())
    said = stack.run("make", "restore", "FROM=backups/kept", "ARGS=--replace --report report.json").stdout
    assert "The services can be started" in said
    assert json.loads((stack.folder / "backups" / "report.json").read_text())["keyless"] == []
    assert WORKS in stack.run("make", "up").stdout
    assert is_there(stack, worker)
    seen = stack.call("operator", "GET", f"/enrolment/workers/{gone}")
    assert (seen.status_code in {200, 410}, "Resta" in seen.text) == (True, False), "who was erased since stays erased"


def test_mail_is_caught_under_its_profile(stack: Stack) -> None:
    stack.compose(
        "--profile", "mail", "up", "--detach", "--wait", "mailpit", "notifications", AMA_SMTP="smtp://mailpit:1025"
    )
    port = stack.compose("port", "mailpit", "8025").strip()
    assert httpx.get(f"http://{port}/api/v1/messages", trust_env=False).json()["total"] == 0
    program = """
import asyncio
from email.message import EmailMessage
from notifications.sending import Server, send
from services.settings import from_environment
mail = EmailMessage()
mail["From"], mail["To"], mail["Subject"] = "ama@example.org", "ada@example.org", "Prova"
asyncio.run(send(mail, Server.of(from_environment().smtp)))
"""
    done = stack.python("notifications", program)
    assert done.returncode == 0, done.stderr
    caught = httpx.get(f"http://{port}/api/v1/messages", trust_env=False).json()
    assert [each["Subject"] for each in caught["messages"]] == ["Prova"]
