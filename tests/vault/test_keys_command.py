"""`ama keys`."""

import os
import re
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.cli.keys import app
from services.settings import Misconfigured
from tests.vault.conftest import SERVICES
from tests.vault.key_files import FILES, content, secrets_in


@pytest.fixture(autouse=True)
def no_master_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AMA_MASTER_KEYS", raising=False)


def ama(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200"})


def test_make_makes_the_keys_of_the_five_services(tmp_path: Path) -> None:
    assert ama("make", tmp_path / "keys").exit_code == 0
    assert set(content(tmp_path / "keys")) == FILES


def test_make_a_second_time_changes_nothing(folder: Path) -> None:
    before = content(folder)
    assert ama("make", folder).exit_code == 0
    assert content(folder) == before


def test_make_leaves_the_master_out_where_the_environment_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMA_MASTER_KEYS", "{}")
    assert ama("make", tmp_path / "keys").exit_code == 0
    assert set(content(tmp_path / "keys")) == FILES - {"master.jwks"}


def test_list_shows_kids_and_ages_and_no_key(folder: Path) -> None:
    shown = ama("list", folder).output
    assert all(name in shown for name in (*FILES, *SERVICES, "X25519 private", "today"))
    assert not any(secret in shown for secret in secrets_in(folder))


def test_list_takes_the_age_of_the_file_where_a_key_says_none(folder: Path) -> None:
    text = re.sub(r'"iat": \d+,', "", (folder / "pseudonyms.jwk").read_text())
    (folder / "pseudonyms.jwk").write_text(text)
    os.utime(folder / "pseudonyms.jwk", (time.time() - 3.5 * 86_400,) * 2)
    assert "3 days" in ama("list", folder).output


def test_list_of_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    assert isinstance(ama("list", tmp_path / "nowhere").exception, Misconfigured)


def test_rotate_adds_a_key_and_names_it_without_showing_it(folder: Path) -> None:
    shown = ama("rotate", folder)
    listed = ama("list", folder).output
    assert shown.exit_code == 0
    assert sum("master.jwks" in line for line in listed.splitlines()) == 2
    assert re.search(r"Master key (\S+) is added", shown.output)[1] in listed  # type: ignore[index]
    assert not any(secret in shown.output for secret in secrets_in(folder))


def test_rotate_without_a_master_key_makes_none(tmp_path: Path) -> None:
    assert isinstance(ama("rotate", tmp_path / "keys").exception, Misconfigured)
    assert not (tmp_path / "keys").exists()


def test_rotate_says_where_the_keys_are_when_the_environment_has_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMA_MASTER_KEYS", "{}")
    assert "AMA_MASTER_KEYS" in str(ama("rotate", folder).exception)
