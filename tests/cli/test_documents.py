"""Whatever is in a file that a command reads, the command ends with one sentence and exit status 1."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from services import programmes
from services.cli.documents import json_of
from services.operations.provision import passwords
from services.settings import Misconfigured, from_environment, text_of
from services.vault import files
from tests.helpers.problems import small

AMA = Path(sys.executable).with_name("ama")
PROBLEM = json.dumps(small())
FAULTS: dict[str, tuple[bytes, str]] = {
    "windows": (PROBLEM.replace("p0", "Nicolò").encode("cp1252", "replace") + b"\xf2", "line 1: not UTF-8"),
    "utf-16": (PROBLEM.encode("utf-16"), "line 1: not UTF-8"),
    "half a character": (PROBLEM.replace("p0", "\\ud800").encode(), "half a character"),
    "a key twice": (PROBLEM.replace('{"size"', '{"size": [2, 2], "size"', 1).encode(), '"size" stands twice'),
    "no number": (PROBLEM.replace("20", "NaN", 1).encode(), "NaN is not JSON"),
    "too large a number": (PROBLEM.replace("20", "1e999", 1).encode(), "number"),
    "deep": (b"[" * 100_000, "no JSON"),
    "deep and whole": (b"[" * 900 + b"]" * 900, "more than 64"),
    "empty": (b"", "no JSON"),
    "zeros": (b"\0" * 100, "no JSON"),
    "no JSON": (b"size: 4", "no JSON"),
}


def faulty(folder: Path, name: str) -> Path:
    path = folder / "problem.json"
    path.write_bytes(FAULTS[name][0])
    return path


@pytest.mark.parametrize("name", FAULTS)
def test_a_file_that_cannot_be_right_is_refused_in_one_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        json_of(faulty(tmp_path, name))
    assert FAULTS[name][1] in str(refused.value)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "problem.json"
    path.write_bytes(b"\xef\xbb\xbf" + PROBLEM.encode())
    assert json_of(path) == json.loads(PROBLEM)


def run(*words: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(AMA), *map(str, words)], capture_output=True, text=True, check=False, timeout=120, env=os.environ
    )


@pytest.mark.parametrize("name", ["windows", "a folder", "nothing"])
def test_the_command_ends_with_that_sentence_and_status_1(tmp_path: Path, name: str) -> None:
    path = {"a folder": tmp_path, "nothing": tmp_path / "none.json"}.get(name) or faulty(tmp_path, name)
    for command in (["solve", path], ["check", path, path], ["explain", path, path]):
        done = run("formation", *command)
        assert (done.returncode, done.stdout) == (1, "")
        assert len(done.stderr.splitlines()) == 1
        assert done.stderr.startswith("ama: ")


def test_an_answer_that_cannot_be_written_ends_with_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "problem.json"
    path.write_text(json.dumps(small(people=[])))
    done = run("formation", "solve", path, "-o", tmp_path)
    assert done.returncode == 1
    assert done.stderr.strip() == f"{tmp_path} cannot be written: Is a directory."


@pytest.mark.parametrize("content", [b"\xff", None], ids=["no text", "a folder"])
def test_secrets_passwords_and_addresses_are_refused_alike(
    tmp_path: Path, content: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def put(name: str) -> None:
        path = tmp_path / name
        path.mkdir() if content is None else path.write_bytes(content)

    put("kafka-enrolment")
    with pytest.raises(Misconfigured, match="kafka-enrolment"):
        passwords.read(tmp_path, "kafka")
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    put("secrets/ama_sasl_password")
    monkeypatch.setenv("AMA_SECRETS", str(secrets))
    if content is not None:
        with pytest.raises(Misconfigured, match="AMA_SECRETS"):
            from_environment()


def test_the_addresses_of_a_system_that_runs_are_refused_when_they_are_damaged(tmp_path: Path) -> None:
    for text in ("", "{", "[]", '{"base": 1}', "[" * 100_000):
        (tmp_path / "run.json").write_text(text)
        done = run("person", "accesses", "somebody", "--programme", "jobs2", "--data", tmp_path)
        assert done.returncode == 1
        assert done.stderr.startswith(f"ama: {tmp_path}/run.json")


def test_a_key_file_with_a_member_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "master.jwks"
    path.write_text('{"kty": "oct", "k": "AAAA", "k": "BBBB"}')
    path.chmod(0o600)
    with pytest.raises(Misconfigured, match="is not JSON"):
        files.read(path)


LONG: dict[str, Any] = {
    "a key": "a" + ".a" * 20_000 + " = 1",
    "a table": "[a" + ".a" * 20_000 + "]",
    "quoted": '"a"' + '."a"' * 10_000 + " = 1",
    "spaced": "a" + " . a" * 10_000 + " = 1",
}


@pytest.mark.parametrize("name", LONG)
def test_a_programme_with_a_key_of_thousands_of_parts_is_refused_at_once(tmp_path: Path, name: str) -> None:
    path = tmp_path / "long.toml"
    path.write_text(f"# a programme\n{LONG[name]}\n")
    began = time.process_time()
    with pytest.raises(Misconfigured, match=r"^long\.toml, line 2: a key of more than 32 parts\.$"):
        programmes.loading.load(path)
    assert time.process_time() - began < 1


def test_a_device_without_end_is_refused() -> None:
    with pytest.raises(Misconfigured, match="more than 200 MB"):
        text_of(Path("/dev/zero"))
