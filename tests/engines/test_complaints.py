"""The line of an engine's log that is quoted when it ends: its first error since it was started, and the remedy for damaged files."""

import json
from pathlib import Path

import pytest

from services.engines import kafka, mongod
from services.engines.kafka import Kafka
from services.engines.mongod import Mongod

INFO = json.dumps({"s": "I", "msg": "Shutting down", "attr": {"exitCode": 14}})
WIREDTIGER = json.dumps(
    {
        "s": "E",
        "msg": "WiredTiger error message",
        "attr": {"error": -31802, "message": {"ts_sec": 1, "msg": "read checksum error", "error_str": "WT_ERROR"}},
    }
)
FATAL = json.dumps({"s": "F", "msg": "Cursor not found", "attr": {"error": {"code": 43, "errmsg": "no cursor"}}})
PLAIN = json.dumps(
    {"s": "E", "msg": "Failed to set up listener", "attr": {"error": {"code": 9, "errmsg": "port in use"}}}
)
MORE = "2026-11-30T16:48:35,295 ERROR Exiting Kafka (kafka.Kafka$)\njava.lang.RuntimeException: no meta.properties\n\tat x\n"


@pytest.mark.parametrize(
    ("lines", "quoted"),
    [
        ([INFO, WIREDTIGER, FATAL, INFO], "WiredTiger error message: read checksum error: WT_ERROR"),
        ([FATAL, INFO], "Cursor not found: no cursor"),
        (["{ a line that was cut off", PLAIN], "Failed to set up listener: port in use"),
        ([INFO], None),
        ([], None),
    ],
)
def test_the_first_error_of_mongodb_is_quoted_with_its_cause(lines: list[str], quoted: str | None) -> None:
    assert mongod.first_error("\n".join(lines)) == quoted


def test_the_first_error_of_kafka_is_quoted_with_its_exception() -> None:
    found = kafka.first_error(f"2026 INFO started (x)\n{MORE}2026 ERROR later (y)\n")
    assert found == "Exiting Kafka (kafka.Kafka$): java.lang.RuntimeException: no meta.properties"
    assert kafka.first_error("2026 INFO started (x)\n") is None


def test_a_slow_step_that_kafka_logs_as_an_error_is_not_quoted_before_the_cause() -> None:
    slow = "2026 ERROR Exceptionally slow controller event handleCommit (x)\n"
    assert (
        kafka.first_error(slow + MORE) == "Exiting Kafka (kafka.Kafka$): java.lang.RuntimeException: no meta.properties"
    )
    damage = "2026 ERROR Error while reading checkpoint file /x (org.LogDirFailureChannel)\n"
    assert str(kafka.first_error(slow + MORE + damage)).startswith("Error while reading checkpoint file")


def test_what_an_earlier_start_wrote_is_not_quoted(tmp_path: Path) -> None:
    log = tmp_path / "mongod.log"
    log.write_text(f"{FATAL}\n")
    engine = Mongod(tmp_path / "mongo", log)
    engine._began = log.stat().st_size
    log.with_suffix(".out").write_text("killed\n")
    assert engine.complaint() == f"killed (log: {log})."


def test_damaged_files_have_a_remedy_and_a_port_in_use_has_none(tmp_path: Path) -> None:
    engine = Mongod(tmp_path / "mongo", tmp_path / "mongod.log")
    engine.log.write_text(WIREDTIGER)
    assert engine.complaint().endswith("are damaged: move it away, and put a backup back (`ama restore FILE`).")
    engine.log.write_text(PLAIN)
    assert "are damaged" not in engine.complaint()
    broker = Kafka(tmp_path / "kafka", tmp_path / "kafka.log", secure=False)
    broker.log.write_text("2026 ERROR Error while loading log dir /x (y)\n")
    assert broker.complaint().endswith(
        f"delete {tmp_path / 'kafka'}, and start again; every topic is filled again from MongoDB."
    )
