"""Access to people's keys is tried before a restore begins: key files that are missing or others', a passphrase that is wrong."""

from pathlib import Path

import pytest
from bson import encode

from services import vault
from services.contracts.topics import SERVICES
from services.operations.backup import sealed
from services.operations.backup.key_access import check_access
from services.settings import Misconfigured

PHRASE, PERSON = "a long enough passphrase", "0198c0de"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Key files of this house."""
    vault.make_keys(tmp_path / "ours", SERVICES)
    return tmp_path / "ours"


@pytest.fixture
def others(tmp_path: Path) -> Path:
    """Key files made anew, beside old data."""
    vault.make_keys(tmp_path / "others", SERVICES)
    return tmp_path / "others"


@pytest.fixture
def on_the_bus(folder: Path) -> tuple[str, bytes]:
    return PERSON, vault.wrap_for(PERSON, b"k" * 32, vault.public_keys(folder))


@pytest.fixture
def file(folder: Path, tmp_path: Path) -> Path:
    """A file of keys with one person's."""
    wrapped = vault.MasterKeys.load(folder).wrap(PERSON, b"k" * 32)
    kept = {"c": "keys", "d": {"_id": f"jobs2/{PERSON}", "programme": "jobs2", "wrapped": wrapped}}
    sealed.write(tmp_path / "file", PHRASE, [encode(kept)])
    return tmp_path / "file"


def refusal(folder: Path, file: tuple[Path, str] | None, sample: tuple[str, bytes] | None) -> str:
    with pytest.raises(Misconfigured) as refused:
        check_access(folder, file, sample)
    assert "keys make" not in str(refused.value), "which would be the end of old data"
    return str(refused.value)


def test_the_house_own_keys_open_what_is_on_the_bus_and_in_the_file(
    folder: Path, file: Path, on_the_bus: tuple[str, bytes]
) -> None:
    assert check_access(folder, (file, PHRASE), on_the_bus).open(*on_the_bus) == b"k" * 32


def test_a_master_key_that_is_missing_is_to_be_put_back_also_beside_a_file_of_keys(folder: Path, file: Path) -> None:
    (folder / "master.jwks").unlink()
    for given in (None, (file, PHRASE)):
        assert "put the key files back from their own backup" in refusal(folder, given, None)


def test_keys_that_were_made_anew_open_neither_the_bus_nor_the_file(
    others: Path, file: Path, on_the_bus: tuple[str, bytes]
) -> None:
    assert "is not what people's keys on the bus were wrapped for" in refusal(others, None, on_the_bus)
    assert "does not open with these master keys" in refusal(others, (file, PHRASE), None)


def test_a_wrong_passphrase_and_a_file_that_is_not_there_are_one_sentence(folder: Path, file: Path) -> None:
    assert "does not open with this passphrase" in refusal(folder, (file, PHRASE + "?"), None)
    assert "There is no file of keys" in refusal(folder, (file.with_name("none"), PHRASE), None)


def test_without_a_service_key_only_a_file_of_keys_will_do(
    folder: Path, file: Path, on_the_bus: tuple[str, bytes]
) -> None:
    for each in folder.glob("*.jwk"):
        each.unlink()
    assert "no service's private key" in refusal(folder, None, on_the_bus)
    openers = check_access(folder, (file, PHRASE), on_the_bus)
    assert openers.service is None
    assert "no service's private key" in openers.problem
