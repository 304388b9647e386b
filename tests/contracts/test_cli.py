"""`ama contracts` from the outside."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import contracts
from services.contracts import frozen as frozen_module
from services.contracts.frozen import Frozen, published
from services.contracts.topics import SERVICES
from tests.contracts.conftest import Declare

run = CliRunner()


def test_list_names_every_type_with_its_topic_and_readers() -> None:
    lines = run.invoke(contracts.app, ["list"]).stdout.splitlines()
    for kind in published().values():
        assert any(kind.type in line and kind.topic in line and ", ".join(kind.readers) in line for line in lines)


def test_show_takes_the_end_of_a_name_and_prints_schema_and_example() -> None:
    full = run.invoke(contracts.app, ["show", "it.amalavoro.enrolment.worker.referred.v1"])
    short = run.invoke(contracts.app, ["show", "enrolment.worker.referred.v1"])
    assert full.stdout == short.stdout
    decoder = json.JSONDecoder()
    schema, end = decoder.raw_decode(short.stdout)
    assert schema == Frozen().schema("it.amalavoro.enrolment.worker.referred.v1")
    assert decoder.raw_decode(short.stdout[end:].strip())[0] == Frozen().example(
        "it.amalavoro.enrolment.worker.referred.v1"
    )


@pytest.mark.parametrize("name", ["worker.promoted.v1", "worker.referred.v1"])
def test_show_says_when_a_name_means_none_or_several(name: str) -> None:
    result = run.invoke(contracts.app, ["show", name])
    assert result.exit_code == 2
    assert name in " ".join(result.output.split())


def test_export_writes_what_is_frozen_and_a_document_for_each_service(tmp_path: Path) -> None:
    result = run.invoke(contracts.app, ["export", str(tmp_path / "out"), "--bootstrap", "kafka.example:9092"])
    assert result.exit_code == 0, result.output
    here = Frozen().folder
    for folder in ("schemas", "examples"):
        written = {path.name: path.read_bytes() for path in (tmp_path / "out" / folder).iterdir()}
        assert written == {path.name: path.read_bytes() for path in (here / folder).glob("*.json")}
    assert {path.stem for path in (tmp_path / "out" / "asyncapi").iterdir()} == set(SERVICES)


def test_check_is_content_with_the_project_as_it_is() -> None:
    result = run.invoke(contracts.app, ["check"])
    assert (result.exit_code, result.stdout) == (0, f"{len(published())} event types keep their contracts\n")


def test_check_and_freeze_report_drift_one_line_each_and_fail(
    declare: Declare, promised: Frozen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frozen_module, "Frozen", lambda: promised)
    monkeypatch.setattr(frozen_module, "published", lambda: {"x": declare("seats: int")})
    first = run.invoke(contracts.app, ["freeze"])
    assert first.exit_code == 0
    assert "frozen" in first.stdout
    assert run.invoke(contracts.app, ["freeze"]).stdout == "Everything is frozen already\n"
    assert run.invoke(contracts.app, ["check"]).exit_code == 0

    monkeypatch.setattr(frozen_module, "published", lambda: {"x": declare("seats: float\nrows: int")})
    checked, frozen = run.invoke(contracts.app, ["check"]), run.invoke(contracts.app, ["freeze"])
    assert (checked.exit_code, frozen.exit_code) == (1, 1)
    for result in (checked, frozen):
        assert 'data.seats: type was "integer", is "number"' in result.stdout
        assert "data.rows: added as required" in result.stdout
        assert len(result.stdout.splitlines()) >= 2
