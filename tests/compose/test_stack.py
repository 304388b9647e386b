"""The deployment of `make secrets` and `make up` in real containers: complete, and complete again after each thing that happens to it.

The tests of a module follow each other on one deployment.
"""

import json
import re
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.compose.stack import OURS, WORKS, Stack, service_of

pytestmark = pytest.mark.timeout(1200)
ENGINES = {"kafka", "mongo", "caddy"}
REFERRED = {"partner": "cgil", "person": {"given_name": "Ada", "family_name": "Resta"}}


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
        groups = await admin.describe_consumer_groups(["ama_enrolment.reactions"])
        return [bool(member[4]) for answer in groups for group in answer.groups for member in group[5]]
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
        found: dict[str, Any] = stack.call("operator", "GET", "/analytics/indicators").json()
        return found

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
from notifications.mail_format import Mail, Mailbox, flatten
from notifications.smtp import Server, send
from services.settings import from_environment
sender, to = Mailbox("", "ama@example.org"), Mailbox("", "ada@example.org")
data = flatten({"From": sender, "To": to}, {"Subject": "Prova"}, "Prova")
asyncio.run(send(Mail("m", sender.address, to.address, data), Server.of(from_environment().smtp)))
"""
    done = stack.python("notifications", program)
    assert done.returncode == 0, done.stderr
    caught = httpx.get(f"http://{port}/api/v1/messages", trust_env=False).json()
    assert [each["Subject"] for each in caught["messages"]] == ["Prova"]
