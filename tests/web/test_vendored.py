"""The site's files of Bootstrap Italia and htmx are those of the locked npm packages."""

from pathlib import Path

import pytest

from services.web.frame import assets

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / "ops" / "assets" / "node_modules"


def test_the_files_that_are_kept_are_those_of_the_locked_packages() -> None:
    assert assets.differing(PACKAGES) == []


def test_every_file_in_the_folder_has_its_source_in_a_package() -> None:
    assert {each.name for each in assets.VENDOR.iterdir()} == assets.WANTED.keys()


def test_a_file_that_was_changed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in assets.WANTED:
        (tmp_path / name).write_bytes((assets.VENDOR / name).read_bytes())
    (tmp_path / "htmx.js").write_text("another")
    monkeypatch.setattr(assets, "VENDOR", tmp_path)
    assert assets.differing(PACKAGES) == ["htmx.js"]
