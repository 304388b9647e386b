"""Every `ama` command, whatever is missing around it, ends with one sentence and no trace.

The commands come from the program itself, so that a new one is tried as well.
"""

import json
import logging
import os
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer

from services import cli, vault
from services.contracts.topics import SERVICES

STAYS = {"up", "pilot jobs2"}  # they run until somebody stops them, unless something is wrong
ENGINES = {"backup take", "backup register"}  # they start the engines of a stopped system: tests/cli/test_stopped.py
OURS = [name for name in os.environ if name.startswith("AMA_")]
ROOT = typer.main.get_command(cli.app)


def leaves(command: Any, name: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, by its words."""
    if hasattr(command, "commands"):
        for word, each in command.commands.items():
            yield from leaves(each, (*name, word))
    else:
        yield name, command


COMMANDS = {" ".join(name): command for name, command in leaves(ROOT)}


@dataclass(frozen=True)
class Case:
    """The things that a command finds: its folder, and the values of its parameters by their names."""

    folder: Path
    known: dict[str, str]

    def words(self, name: str) -> list[str]:
        """The command line with a value for each parameter that is required, and for the folder."""
        said = name.split()
        for each in COMMANDS[name].params:
            if each.name == "data":
                said += ["--data", str(self.folder)]
            elif each.name in {"yes", "leave"}:
                said.append(each.opts[0])
            elif each.required or each.name in {"partner", "service"}:
                value = self.value(each)
                said += [each.opts[0], value] if each.param_type_name == "option" else [value]
        return said

    def value(self, parameter: Any) -> str:
        """Something of the right kind that nobody knows, unless it is among the known ones."""
        name = str(parameter.name)
        if name in self.known:
            return self.known[name]
        return str(self.folder / "nothing") if parameter.type_descriptor.annotation is Path else "unknown"


KNOWN = {"service": "enrolment", "programme": "jobs2", "role": "operator", "partner": "isr", "passwords": "/nowhere"}
RIGHT = {**KNOWN, "projection": "desk"}


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No setting of ours, an empty folder to stand in, and a port that is taken for whoever would stay."""
    for name in OURS:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.socket() as here:
        here.bind(("127.0.0.1", 0))
        here.listen()
        yield here.getsockname()[1]


def nothing(folder: Path) -> Case:
    return Case(folder / "none", RIGHT)


def stopped(folder: Path) -> Case:
    """The keys of a system that was started before."""
    data = folder / "stopped"
    data.mkdir(mode=0o700)
    vault.make_keys(data / "keys", SERVICES)
    return Case(data, RIGHT)


def killed(folder: Path) -> Case:
    """One that was killed, and left its addresses."""
    found = stopped(folder)
    addresses = {"base": "http://127.0.0.1:9", "kafka": "127.0.0.1:9", "mongo": "mongodb://127.0.0.1:9", "sasl": {}}
    (found.folder / "run.json").write_text(json.dumps({**addresses, "pid": 2**22 + 1}))
    return found


def a_file(folder: Path) -> Case:
    (folder / "file").write_text("no folder")
    return Case(folder / "file", RIGHT)


def below_a_file(folder: Path) -> Case:
    return Case(a_file(folder).folder / "data", RIGHT)


def not_writable(_: Path) -> Case:
    return Case(Path("/proc/data"), RIGHT)


def unknown(folder: Path) -> Case:
    """A name that nobody knows for each parameter."""
    return Case(folder / "none", {})


AROUND: dict[str, Callable[[Path], Case]] = {
    each.__name__: each for each in (nothing, stopped, killed, a_file, below_a_file, not_writable, unknown)
}


def run(words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> tuple[Any, str, str]:
    """Run the command in this process. Returns status, output and errors; an error that is no end of a program is raised."""
    monkeypatch.setattr(sys, "argv", ["ama", *words])
    with pytest.raises(SystemExit) as end:
        cli.main()
    told = capsys.readouterr()
    return end.value.code or 0, told.out, told.err


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_ends_with_a_sentence_and_no_trace(
    name: str,
    around: str,
    tmp_path: Path,
    taken: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = AROUND[around](tmp_path)
    words = found.words(name)
    if name in STAYS:
        words += ["--port", str(taken)]
    if name in ENGINES and around in {"stopped", "killed"}:
        words += ["--key", str(tmp_path / "no-key")]
    status, out, err = run(words, capsys, monkeypatch)
    assert "Traceback" not in out + err
    if status:
        assert err.strip(), out
        assert len(err) < 2_000
    assert not (tmp_path / "none").exists() or name in STAYS | {"keys make", "contracts export"}


@pytest.mark.parametrize("name", sorted(STAYS | {"serve"}))
@pytest.mark.parametrize("port", ["99999", "-1", "x"])
def test_a_port_that_cannot_be_is_refused(
    name: str, port: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [*nothing(tmp_path).words(name), "--port", port]
    status, _, err = run(words, capsys, monkeypatch)
    assert status == 2
    assert "--port" in err
    assert not (tmp_path / "none").exists()


SENTENCES = {
    ("dead list", "stopped"): "is stopped: start it with `ama up --data",
    ("dead list", "killed"): "is stopped: start it with `ama up --data",
    ("dead list", "nothing"): "is not there: `ama up --data",
    ("dead list", "a_file"): "is a file: name the folder",
    ("up", "a_file"): "is a file: name a folder with --data",
    ("up", "below_a_file"): "cannot be made, or not be written (Not a directory)",
    ("up", "not_writable"): "cannot be made, or not be written",
    ("up", "nothing"): "is in use: name another one, or 0 for a free one",
    ("pilot jobs2", "nothing"): "is in use: name another one, or 0 for a free one",
    ("person accesses", "stopped"): "is stopped: start it with",
    ("projections list", "stopped"): "is stopped: start it with",
    ("restore", "stopped"): "is no backup",
    ("token", "stopped"): "is stopped: start it with",
}


@pytest.mark.parametrize(("name", "around"), SENTENCES)
def test_the_sentence_says_what_to_do(
    name: str,
    around: str,
    tmp_path: Path,
    taken: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = AROUND[around](tmp_path).words(name) + (["--port", str(taken)] if name in STAYS else [])
    status, out, err = run(words, capsys, monkeypatch)
    assert (status, out) == (1, "")
    assert SENTENCES[name, around] in err
    assert len(err.splitlines()) == 1


def test_every_group_and_command_has_a_help(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("", *COMMANDS):
        status, out, _ = run([*name.split(), "--help"], capsys, monkeypatch)
        assert status == 0
        assert "Usage" in out


def test_a_defect_keeps_its_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise AssertionError("a defect")

    monkeypatch.setattr(cli, "app", broken)
    with pytest.raises(AssertionError):
        cli.main()
