"""A library that mongod misses is named before it fails, in one sentence with the command."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from services.engines import Embedded, LibraryMissing, system


@pytest.fixture
def lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a library that mongod needs."""
    monkeypatch.setitem(system.PACKAGES, "libabsent.so.9", "libabsent9")


@pytest.mark.usefixtures("lacking")
def test_a_start_names_the_missing_library_and_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/apt-get")
    with pytest.raises(LibraryMissing, match=r"mongod needs libabsent.so.9, .*; run: apt-get install .* libabsent9$"):
        Embedded(tmp_path / "data").start()
    assert not (tmp_path / "data").exists()


@pytest.mark.usefixtures("lacking")
def test_without_apt_the_sentence_names_the_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(LibraryMissing, match=r"install libcurl 4 and OpenSSL 3"):
        system.check()


@pytest.mark.usefixtures("lacking")
def test_root_installs_only_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[list[str]] = []
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/apt-get")
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    def run(step: list[str], **_: Any) -> None:
        steps.append(step)
        system.PACKAGES.pop("libabsent.so.9", None)

    monkeypatch.setattr(subprocess, "run", run)
    system.install()
    assert steps == [["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", "libabsent9"]]


@pytest.mark.usefixtures("lacking")
def test_who_is_not_root_is_told_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LibraryMissing):
        system.install()
