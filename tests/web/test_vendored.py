"""The site's files of Bootstrap Italia and htmx are those of the locked npm packages; its stylesheet is the part that the pages use."""

import gzip
import re
from pathlib import Path

import pytest

from services.contracts.topics import SERVICES
from services.web.frame import assets, static

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / "ops" / "assets" / "node_modules"
LIGHT = 200_000  # bytes of a first page, compressed
ANEW = "run python ops/assets.py"


def templates() -> list[str]:
    """The text of every template of the site."""
    folders = [ROOT / name for name in (*SERVICES, "services")]
    return [each.read_text() for folder in folders for each in sorted(folder.rglob("templates/**/*.html"))]


def used(template: str) -> set[str]:
    """Classes that a template names, and those that it may put together of a beginning and a word that stands in quotation marks."""
    plain = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", " ", template)
    named = {word for value in re.findall(r'class="([^"]*)"', plain) for word in re.findall(r"[A-Za-z][\w-]*", value)}
    words = set(re.findall(r"[\"']([a-z][a-z-]*)[\"']", template))
    return named | {f"{begin}-{word}" for begin in ("btn", "btn-outline", "alert") for word in words}


def lacking(*pages: str) -> set[str]:
    """Classes of these templates that the whole stylesheet has and the subset does not."""
    whole = assets.classes_of((PACKAGES / assets.WANTED[assets.SUBSET]).read_text())
    kept = assets.classes_of((assets.VENDOR / assets.SUBSET).read_text())
    return {name for each in pages for name in used(each)} & whole - kept


def test_every_class_that_a_template_uses_is_in_the_subset() -> None:
    assert lacking(*templates()) == set(), ANEW


def test_a_class_that_the_subset_lacks_is_named() -> None:
    page = '<div class="accordion {{ kind }}"></div>{{ submit("x", kind="no-such") }}'
    assert lacking(page) == {"accordion"}
    assert lacking('<p class="of-our-own">') == set(), "what the stylesheet never had is ours"


def test_the_subset_keeps_what_pages_stand_on() -> None:
    kept = (assets.VENDOR / assets.SUBSET).read_text()
    for rule in ("[hidden]", ":root", "@media print", ".btn-primary", ".alert-danger", ".visually-hidden"):
        assert rule in kept, rule
    assert len(kept) < 100_000


def test_a_first_page_is_light() -> None:
    """The start page loads both stylesheets, the icon and three fonts; its own text is a few kB."""
    files = ["vendor/bootstrap-italia.css", "site.css", "icon.svg"]
    fonts = [f"vendor/{name}" for name in assets.WANTED if name.endswith(".woff2")]
    packed = sum(len(gzip.compress((static.STATIC / name).read_bytes(), 9, mtime=0)) for name in files)
    assert packed + sum((static.STATIC / name).stat().st_size for name in fonts) < LIGHT / 2


def test_the_files_that_are_kept_are_those_of_the_locked_packages() -> None:
    assert assets.differing(PACKAGES) == []


def test_every_file_in_the_folder_has_its_source_in_a_package() -> None:
    assert {each.name for each in assets.VENDOR.iterdir()} == assets.WANTED.keys()


@pytest.mark.parametrize(("name", "text"), [("htmx.js", "another"), (assets.SUBSET, ".btn-primary{color:hotpink}")])
def test_a_file_that_was_changed_is_named(
    name: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in assets.WANTED:
        (tmp_path / each).write_bytes((assets.VENDOR / each).read_bytes())
    (tmp_path / name).write_text(text)
    monkeypatch.setattr(assets, "VENDOR", tmp_path)
    assert assets.differing(PACKAGES) == [name]
