"""A master key that is gone is not made anew beside data that only the old one opens."""

from pathlib import Path

import pytest

from services.embedded.home import Home
from services.settings import Misconfigured


async def test_a_start_beside_data_whose_master_key_is_missing_is_refused_and_makes_none(tmp_path: Path) -> None:
    (tmp_path / "mongo").mkdir()
    with pytest.raises(Misconfigured, match=r"master\.jwks is missing, and people's data .* cannot be read without it"):
        async with Home(tmp_path):
            pass
    assert not (tmp_path / "keys").exists()
