"""`ama up` on a folder, running and stopped: commands, backup and restore, and what is said when the files of an engine are damaged."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.engines import Embedded, EngineError

AMA = Path(sys.executable).with_name("ama")
PATIENCE = 240.0  # seconds for a start or an effect on a machine that is busy with other tests
pytestmark = pytest.mark.timeout(900)
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("AMA_")}


def ama(*words: object) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        [str(AMA), *map(str, words)], capture_output=True, text=True, check=False, timeout=PATIENCE, env=ENVIRONMENT
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


@contextmanager
def up(data: Path) -> Iterator[httpx.Client]:
    """Run `ama up` on the folder. Gives a client of it with an operator's token."""
    with (data.parent / "up.log").open("w") as log:
        running = subprocess.Popen(
            [str(AMA), "up", "--data", str(data), "--port", "0"], stdout=log, stderr=log, env=ENVIRONMENT
        )
        try:
            _wait(lambda: (data / "run.json").exists() or running.poll() is not None)
            assert running.poll() is None, (data.parent / "up.log").read_text()
            token = ama("token", "--role", "operator", "--programme", "monza-brianza", "--data", data).stdout.strip()
            base = json.loads((data / "run.json").read_text())["base"]
            with httpx.Client(base_url=base, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE) as client:
                yield client
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(PATIENCE)


def _wait(holds: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def admitted(client: httpx.Client, profile: dict[str, Any] | None) -> str:
    """Somebody who was referred by CGIL and admitted."""
    person = {"given_name": "Ada", "family_name": "Prova", "email": "ada@example.org"}
    body = {"partner": "cgil", "person": person, **({"profile": profile} if profile else {})}
    worker = str(client.post("/enrolment/referrals", json=body).raise_for_status().json()["worker"])
    consents = {"notice": "2026-09", "consents": {"participation": True}}
    client.post(f"/enrolment/workers/{worker}/consents", json=consents).raise_for_status()
    client.post(f"/enrolment/workers/{worker}/admission").raise_for_status()
    return worker


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stopped") / "data"


@pytest.fixture(scope="module")
def lived_in(folder: Path) -> dict[str, Any]:
    """The folder of a stopped system, with somebody who has a profile and somebody who has none; and what was seen while it ran."""
    seen: dict[str, Any] = {}
    with up(folder) as client:
        described = admitted(client, {"municipality": "monza", "slots": ["thu-evening"]})
        seen["lacking"] = admitted(client, None)
        _wait(lambda: client.get("/grouping/pool").json()["waiting"] == 1)
        _wait(
            lambda: (
                [each["worker"] for each in client.get("/enrolment/workers?without_profile=true").json()]
                == [seen["lacking"]]
            )
        )
        client.get(f"/enrolment/workers/{described}").raise_for_status()
        client.get(f"/sessions/workers/{described}/surveys")
        seen["proposal"] = client.post("/grouping/proposals", json={"on": "2026-10-01"}).raise_for_status().json()
        for name, words in {
            "without-profile": ("person", "without-profile", "--programme", "monza-brianza"),
            "accesses": ("person", "accesses", described, "--programme", "monza-brianza"),
            "stranger": ("person", "accesses", "stranger", "--programme", "monza-brianza"),
            "programme": ("token", "--role", "operator", "--programme", "monza"),
            "partner": ("token", "--role", "referrer", "--programme", "monza-brianza", "--partner", "isr"),
            "rebuild": ("projections", "rebuild", "analytics", "path"),
            "backup": ("backup",),
        }.items():
            seen[name] = ama(*words, "--data", folder)
        (seen["file"],) = (folder / "backups").glob("*.backup.age")
        seen["refused"] = ama("restore", seen["file"], "--data", folder)
    return seen


def test_whoever_was_admitted_without_a_profile_is_listed(lived_in: dict[str, Any]) -> None:
    assert lived_in["proposal"]["without_profile"] == [lived_in["lacking"]]
    assert lived_in["without-profile"].stdout.startswith(f"{lived_in['lacking']}  referred by cgil, admitted ")
    assert len(lived_in["without-profile"].stdout.splitlines()) == 1


def test_the_log_of_accesses_is_asked_of_every_service(lived_in: dict[str, Any]) -> None:
    assert "  enrolment  operator  operator  person" in lived_in["accesses"].stdout
    assert (lived_in["stranger"].returncode, lived_in["stranger"].stdout) == (1, "")
    assert "There is no worker stranger" in lived_in["stranger"].stderr


def test_a_token_for_a_programme_or_partner_that_is_not_there_is_refused(lived_in: dict[str, Any]) -> None:
    assert "There is no programme monza; there are" in lived_in["programme"].stderr
    assert "monza-brianza has no partner isr; it has provincia-mb" in lived_in["partner"].stderr
    assert lived_in["programme"].stdout == lived_in["partner"].stdout == ""


def test_a_rebuild_shows_a_bar_that_ends_and_no_line_of_a_library(lived_in: dict[str, Any]) -> None:
    done = lived_in["rebuild"]
    told = "path, meetings, places, attendance, scores, paths, complaints: generation 2 is read now."
    assert (done.returncode, " ".join(done.stdout.split())) == (0, told)  # a terminal breaks long lines
    explained, bar = done.stderr.splitlines()
    assert explained.startswith("The read models of analytics are rebuilt together")
    taken, _, there = bar.split()[-2].partition("/")
    assert taken == there
    assert int(there) > 0
    assert "\x1b[" not in bar


def test_a_restore_waits_for_the_services_to_be_stopped(lived_in: dict[str, Any]) -> None:
    assert lived_in["backup"].returncode == 0
    assert lived_in["refused"].returncode == 1
    assert "run: stop `ama up` first" in lived_in["refused"].stderr


@pytest.mark.long
def test_a_stopped_system_is_backed_up_and_restored_in_one_command_each(lived_in: dict[str, Any], folder: Path) -> None:
    taken = ama("backup", "register", "--data", folder)
    assert taken.returncode == 0, taken.stderr
    assert list((folder / "backups").glob("*.register.age"))
    full = ama("restore", lived_in["file"], "--data", folder)
    assert (full.returncode, full.stdout) == (1, "")
    assert "is not empty. With --replace" in full.stderr
    shutil.rmtree(folder / "mongo")
    back = ama("restore", lived_in["file"], "--data", folder)
    assert back.returncode == 0, back.stderr
    assert "The services can be started." in back.stdout
    assert list((folder / "backups").glob("restore-*.json"))
    with up(folder) as client:
        assert len(client.get("/enrolment/workers").json()) == 2
        _wait(lambda: client.get("/grouping/pool").json()["waiting"] == 1)


def copied(folder: Path, to: Path) -> Path:
    shutil.copytree(folder, to, ignore=shutil.ignore_patterns("run.json"))
    return to


def test_a_damaged_partition_of_kafka_ends_the_start_with_the_remedy_and_the_remedy_helps(
    lived_in: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    assert lived_in
    data = copied(folder, tmp_path / "data")
    with Embedded(data):
        pass  # an orderly stop: after another one, Kafka cuts a damaged record off by itself, and the relays refill it
    for log in (data / "kafka" / "data").glob("ama.enrolment-*/*.log"):
        content = bytearray(log.read_bytes())
        content[len(content) // 2 : len(content) // 2 + 20] = b"\xaa" * min(20, len(content) - len(content) // 2)
        log.write_bytes(content)
    ended = ama("up", "--data", data, "--port", 0)
    assert ended.returncode == 1
    # Kafka itself meets it where it was not shut down cleanly, and reads its files again; else a consumer meets it.
    assert re.search(r"A partition of Kafka is damaged|Its files are damaged", ended.stderr)
    assert f"delete {data / 'kafka'}, and start again" in ended.stderr
    shutil.rmtree(data / "kafka")
    with up(data) as client:
        assert len(client.get("/enrolment/workers").json()) == 2


@pytest.mark.long
def test_damaged_files_are_quoted_and_not_the_last_line(lived_in: dict[str, Any], folder: Path, tmp_path: Path) -> None:
    assert lived_in
    data = copied(folder, tmp_path / "data")
    checkpoint = data / "kafka" / "data" / "ama.enrolment-0" / "leader-epoch-checkpoint"
    checkpoint.write_text("nonsense\n")
    with pytest.raises(EngineError, match=r"Kafka ended .*checkpoint file .*every topic is filled again from MongoDB"):
        Embedded(data).start()
    shutil.rmtree(data / "kafka")
    (data / "mongo" / "WiredTiger.wt").write_bytes(b"nonsense" * 4096)
    with pytest.raises(
        EngineError, match=r"MongoDB ended .*WiredTiger.* are damaged: move it away, and put a backup back"
    ):
        Embedded(data).start()
