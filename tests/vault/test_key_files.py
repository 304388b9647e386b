"""The folder of key files."""

import json
import os
import stat
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from services import vault
from services.settings import Misconfigured
from services.vault.files import new_octets, write
from tests.vault.conftest import ANN, SERVICES
from tests.vault.key_files import FILES, SECRET_PARTS, content, secrets_in


def test_all_that_is_needed_is_made_and_nothing_else_is_left(folder: Path) -> None:
    assert set(content(folder)) == FILES


def test_files_are_for_their_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        vault.make_keys(tmp_path / "keys", SERVICES)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "keys").iterdir()} == {0o600}


def test_what_is_there_is_never_overwritten(folder: Path) -> None:
    before, files = content(folder), {path.stat().st_ino for path in folder.iterdir()}
    vault.make_keys(folder, SERVICES)
    assert content(folder) == before
    assert {path.stat().st_ino for path in folder.iterdir()} == files


def test_only_what_is_missing_is_made(folder: Path) -> None:
    before = content(folder)
    (folder / "pseudonyms.jwk").unlink()
    vault.make_keys(folder, [*SERVICES, "archive"])
    after = content(folder)
    assert set(after) == FILES | {"archive.jwk"}
    changed = {name for name in before if after[name] != before[name]}
    assert changed == {"pseudonyms.jwk", "services.jwks"}
    assert set(vault.public_keys(folder)) == {*SERVICES, "archive"}


def test_lost_public_keys_are_derived_from_the_private_ones(folder: Path) -> None:
    before = vault.public_keys(folder)
    (folder / "services.jwks").unlink()
    vault.make_keys(folder, SERVICES)
    after = vault.public_keys(folder)
    assert {name: key.thumbprint() for name, key in after.items()} == {
        name: key.thumbprint() for name, key in before.items()
    }


def test_a_private_key_that_is_kept_elsewhere_is_not_replaced(folder: Path) -> None:
    (folder / "sessions.jwk").unlink()
    before = content(folder)
    vault.make_keys(folder, SERVICES)
    assert content(folder) == before


def test_a_public_key_that_is_not_its_private_ones_is_told(folder: Path, tmp_path: Path) -> None:
    vault.make_keys(tmp_path / "other", SERVICES)
    (tmp_path / "other" / "sessions.jwk").replace(folder / "sessions.jwk")
    with pytest.raises(Misconfigured, match=r"public key of sessions in .* is not that of"):
        vault.make_keys(folder, SERVICES)


def test_public_keys_hold_nothing_private(folder: Path) -> None:
    assert not SECRET_PARTS.search((folder / "services.jwks").read_text())
    assert all(not key.is_private for key in vault.public_keys(folder).values())


def test_makers_at_the_same_time_end_with_one_set_of_keys(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    with ProcessPoolExecutor(6) as pool:
        for each in [pool.submit(vault.make_keys, folder, SERVICES) for _ in range(12)]:
            each.result()
    assert set(content(folder)) == FILES
    token = vault.wrap_for(ANN, bytes(32), vault.public_keys(folder))
    for service in SERVICES:
        assert vault.unwrap_mine(service, vault.ServiceKeys.load(folder, service).private, ANN, token) == bytes(32)


def test_rotations_at_the_same_time_are_all_kept(folder: Path) -> None:
    with ProcessPoolExecutor(4) as pool:
        kids = {each.result() for each in [pool.submit(vault.rotate_master, folder) for _ in range(8)]}
    assert len(kids) == 8
    assert kids < {key["kid"] for key in json.loads((folder / "master.jwks").read_text())["keys"]}


def test_a_write_that_fails_leaves_the_old_file_and_no_draft(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = content(folder)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Misconfigured, match=r"master\.jwks cannot be written: No space left on device\."):
        vault.rotate_master(folder)
    assert content(folder) == before


def test_an_open_folder_of_keys_is_closed(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir(mode=0o755)
    vault.make_keys(tmp_path / "keys", SERVICES)
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_a_folder_that_is_for_other_things_too_is_left_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "notes.txt").touch()
    with pytest.raises(Misconfigured, match="holds more than keys"):
        vault.make_keys(tmp_path, SERVICES)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert set(content(tmp_path)) == {"notes.txt"}


def test_master_keys_from_the_environment_need_no_file(tmp_path: Path) -> None:
    vault.make_keys(tmp_path / "keys", SERVICES, master_given=True)
    assert set(content(tmp_path / "keys")) == FILES - {"master.jwks"}


def test_a_file_is_kept_as_it_was_made_first(tmp_path: Path) -> None:
    made = vault.keep(tmp_path / "keys" / "issuer.jwk", lambda: new_octets("first"))
    assert vault.keep(tmp_path / "keys" / "issuer.jwk", lambda: new_octets("second")) == made


def readers(folder: Path) -> dict[str, Any]:
    return {
        "master.jwks": lambda: vault.MasterKeys.load(folder, {}),
        "sessions.jwk": lambda: vault.ServiceKeys.load(folder, "sessions"),
        "services.jwks": lambda: vault.public_keys(folder),
        "pseudonyms.jwk": lambda: vault.secret_of(folder, "pseudonyms"),
    }


@pytest.mark.parametrize("name", ["master.jwks", "sessions.jwk", "services.jwks", "pseudonyms.jwk"])
@pytest.mark.parametrize(
    "text", [None, "", "{", "[]", "{}", '{"kty": "RSA"}', '{"kty": "OKP", "crv": "X25519"}', "\x00", "[1]"]
)
def test_a_bad_file_is_one_sentence_that_names_it(folder: Path, name: str, text: str | None) -> None:
    (folder / name).unlink()
    if text is not None:
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    with pytest.raises(Misconfigured, match=rf"^[^\n]*{name}[^\n]*\.$"):
        readers(folder)[name]()


@pytest.mark.parametrize("name", ["master.jwks", "sessions.jwk", "pseudonyms.jwk"])
def test_bytes_that_are_no_text_are_one_sentence(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"\xff\xfe")
    with pytest.raises(Misconfigured, match="is not JSON"):
        readers(folder)[name]()


@pytest.mark.parametrize("name", ["master.jwks", "sessions.jwk", "pseudonyms.jwk"])
def test_a_secret_that_everybody_can_read_is_refused(folder: Path, name: str) -> None:
    (folder / name).chmod(0o604)
    with pytest.raises(Misconfigured, match="chmod 600"):
        readers(folder)[name]()


def test_public_keys_may_be_read_by_everybody(folder: Path) -> None:
    (folder / "services.jwks").chmod(0o644)
    assert set(vault.public_keys(folder)) == set(SERVICES)


def test_a_private_key_among_the_public_ones_is_refused(folder: Path) -> None:
    write(folder / "services.jwks", {"keys": [json.loads((folder / "sessions.jwk").read_text())]})
    with pytest.raises(Misconfigured, match="holds a private key"):
        vault.public_keys(folder)


def test_a_public_key_in_the_place_of_a_private_one_is_refused(folder: Path) -> None:
    write(folder / "sessions.jwk", json.loads((folder / "services.jwks").read_text())["keys"][0])
    with pytest.raises(Misconfigured, match="the private one is needed"):
        vault.ServiceKeys.load(folder, "sessions")


def test_a_wanted_service_without_a_public_key_is_named(folder: Path) -> None:
    with pytest.raises(Misconfigured, match="has no key of archive, ledger"):
        vault.public_keys(folder, ["sessions", "ledger", "archive"])


def test_no_refusal_and_none_of_its_causes_quotes_a_key(folder: Path) -> None:
    for name, read in readers(folder).items():
        text = (folder / name).read_text()
        (folder / name).write_text(text.rstrip()[:-1])
        with pytest.raises(Misconfigured) as refused:
            read()
        assert refused.value.__cause__ is None
        assert not any(secret in str(refused.value) for secret in SECRET_PARTS.findall(text))


def test_nothing_secret_is_shown(folder: Path) -> None:
    shown = repr(
        [vault.MasterKeys.load(folder, {}), vault.ServiceKeys.load(folder, "sessions"), vault.list_keys(folder)]
    )
    shown += repr(vault.public_keys(folder)) + repr(vault.ServiceKeys.load(folder, "sessions").private)
    assert len(secrets_in(folder)) == 8
    assert not any(secret in shown for secret in secrets_in(folder))


def test_nothing_is_logged(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    vault.make_keys(folder, SERVICES)
    masters = vault.MasterKeys.load(folder, {})
    masters.unwrap(ANN, masters.wrap(ANN, bytes(32)))
    assert caplog.records == []
