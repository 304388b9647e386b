"""A partner's script says in one sentence what is not to be had: Kafka, its store, its port, its settings."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.consumer.conftest import NODE, PYTHON, ROOT

AWAY = {"AMA_FEED_KAFKA": "127.0.0.1:9", "AMA_FEED_TOPIC": "ama.feed.cgil"}
LOGIN = {"AMA_FEED_USER": "cgil", "AMA_FEED_PASSWORD": "secret"}
UNSET = [name for name in os.environ if name.startswith("AMA_FEED_")]


def run(command: list[str], settings: dict[str, str], seconds: float = 60) -> tuple[int | None, str]:
    """Run the script; None for one that goes on, which is ended. Returns status and everything that it said."""
    environment = {name: value for name, value in os.environ.items() if name not in UNSET} | settings
    running = subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        said, _ = running.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        running.terminate()
        said, _ = running.communicate(timeout=30)
        return None, said
    return running.returncode, said


@pytest.mark.parametrize(
    ("words", "settings", "sentence"),
    [
        (["lag"], {}, "AMA_FEED_KAFKA is not set"),
        (["lag"], AWAY, "Kafka at 127.0.0.1:9 does not answer, or refuses the user (KafkaConnectionError)."),
        (["rebuild"], AWAY, "Kafka at 127.0.0.1:9 does not answer, or refuses the user (KafkaConnectionError)."),
        (["dead"], {"OUTCOMES_STORE": "/proc/none/o.db"}, "The store /proc/none/o.db cannot be used"),
        (["dead"], {"OUTCOMES_STORE": "FILE"}, "cannot be used: file is not a database."),
        (["run"], {**AWAY, "OUTCOMES_PORT": "99999"}, "This machine refused: bind(): port must be 0-65535."),
    ],
)
def test_what_is_not_to_be_had_is_one_sentence(
    tmp_path: Path, words: list[str], settings: dict[str, str], sentence: str
) -> None:
    file = tmp_path / "file.db"
    file.write_text("no database, and longer than the head of one" * 10)
    given = {"OUTCOMES_STORE": str(tmp_path / "o.db"), **settings}
    given = {name: str(file) if value == "FILE" else value for name, value in given.items()}
    status, said = run([*PYTHON, *words], given)
    assert status == 1
    assert sentence in said
    assert len(said.splitlines()) == 1


def test_a_script_that_runs_says_once_that_kafka_is_away(tmp_path: Path) -> None:
    store = {"OUTCOMES_STORE": str(tmp_path / "o.db"), "OUTCOMES_PORT": "0"}
    status, said = run(list(PYTHON), {**AWAY, **store}, 20)
    assert status is None or status <= 0
    lines = [line for line in said.splitlines() if "La pagina" not in line]
    assert len(lines) == 1, said
    assert "Kafka at 127.0.0.1:9 does not answer" in lines[0]
    assert "tried again every 2 s" in lines[0]


def test_the_script_in_javascript_too(tmp_path: Path) -> None:
    store = {"OUTCOMES_STORE": str(tmp_path / "o.db")}
    status, said = run(list(NODE), store)
    assert (status, said.splitlines()[-1]) == (
        1,
        "AMA_FEED_* is not set: load the settings that `ama partners user` printed.",
    )
    status, said = run(list(NODE), {**AWAY, **LOGIN, **store}, 120)
    assert status == 1
    assert said.splitlines()[-1].startswith("Kafka at 127.0.0.1:9 does not answer, or refuses cgil: ")
    assert "    at " not in said
