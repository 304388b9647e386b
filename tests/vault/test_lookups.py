"""The digest of a tax code: the same for the same code, unreadable without the key, and of one programme alone."""

from pathlib import Path

import pytest

from services import vault
from services.vault.keyring import master_holder, service_holder
from tests.vault.conftest import SERVICES

CODE = "RSSMRA80A01F704F"
SECRET, OTHER = bytes(range(32)), bytes(range(1, 33))


def test_a_code_is_found_again_by_its_digest() -> None:
    assert vault.fiscal_digest(SECRET, "mb", CODE) == vault.fiscal_digest(SECRET, "mb", CODE)
    assert len(vault.fiscal_digest(SECRET, "mb", CODE)) == 43


def test_another_code_key_or_programme_has_another_digest() -> None:
    digests = {
        vault.fiscal_digest(secret, programme, code)
        for secret in (SECRET, OTHER)
        for programme in ("mb", "lc")
        for code in (CODE, "RSSMRA80A01F70QC")
    }
    assert len(digests) == 8


def test_a_digest_stays_when_the_master_key_is_rotated(tmp_path: Path) -> None:
    vault.make_keys(tmp_path, SERVICES)
    before = master_holder(tmp_path).fiscal_digest("mb", CODE)
    vault.rotate_master(tmp_path)
    assert master_holder(tmp_path).fiscal_digest("mb", CODE) == before


def test_no_other_service_can_make_one(tmp_path: Path) -> None:
    vault.make_keys(tmp_path, SERVICES)
    with pytest.raises(TypeError):
        service_holder("notifications", tmp_path).fiscal_digest("mb", CODE)
