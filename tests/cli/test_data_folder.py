"""A data folder into which another user of the machine could put something is refused before anything is read or written there."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from services import vault
from services.cli.run import log_to
from services.contracts.topics import SERVICES
from services.embedded.data_folder import claim
from services.embedded.home import Home
from services.engines import Engines
from services.settings import Misconfigured, Settings

NOBODY = 65534
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The folder of an earlier start."""
    claim(tmp_path / "data")
    vault.make_keys(tmp_path / "data" / "keys", SERVICES)
    return tmp_path / "data"


def test_a_fresh_folder_is_closed_to_others_and_taken_again(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        for _ in range(2):
            claim(tmp_path / "deep" / "data")
    finally:
        os.umask(before)
    assert (tmp_path / "deep" / "data").stat().st_mode & 0o777 == 0o700


def content(data: Path) -> list[Path]:
    return sorted(data.rglob("*"))


def give(path: Path) -> None:
    os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


def link(path: Path) -> None:
    aside = path.rename(path.with_name("aside"))
    path.symlink_to(aside)
    give(path)


PLACES = (".", "keys", "keys/pseudonyms.jwk", "keys/services.jwks")
OPENINGS = {
    "group may write": lambda path: path.chmod(path.stat().st_mode | 0o020),
    "everybody may write": lambda path: path.chmod(path.stat().st_mode | 0o002),
    "another owner": give,
    "another owner's link": link,
}


@pytest.mark.parametrize(
    ("place", "open_up"),
    [
        pytest.param(place, open_up, id=f"{place}: {name}", marks=root_only if open_up in {give, link} else ())
        for place in PLACES
        for name, open_up in OPENINGS.items()
        if (place, open_up) != (".", link)  # the folder itself is resolved first
    ],
)
async def test_what_others_may_change_is_refused(data: Path, place: str, open_up: Callable[[Path], None]) -> None:
    claim(data)
    open_up(data / place)
    before = content(data)
    with pytest.raises(Misconfigured, match=r"other user(s)? of this machine"):
        log_to(data)
    with pytest.raises(Misconfigured, match=r"other user(s)? of this machine"):
        async with Home(data):
            pass
    assert content(data) == before


def test_the_file_of_addresses_is_a_new_one_of_its_owner(data: Path) -> None:
    planted = data / "run.json"
    planted.touch()
    planted.chmod(0o666)
    home = Home(data)
    home.settings, home.first_password = Settings(kafka="kafka", mongo="mongo"), "shown-once"
    with planted.open() as held:
        home._write_addresses(Engines("kafka", "mongo"))
        assert held.read() == ""
    assert planted.stat().st_mode & 0o777 == 0o600
    assert home.base in planted.read_text()
    assert home.first_password
    assert home.first_password not in planted.read_text(), "it is shown once, and kept nowhere"
