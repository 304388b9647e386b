"""Documents lead to files, headings and tests that exist."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / "bench").glob("*.md"),
    ROOT / "services/contracts/README.md",
]
LINK = re.compile(r"\[[^]]*\]\(([^)#\s]*)(?:#([^)\s]*))?\)")
NAMED = re.compile(
    r"`((?:tests|services|enrolment|grouping|sessions|notifications|analytics|bench|ops|docs|examples)/[\w./-]+)`"
)
TEST = re.compile(r"\b(test_[a-z0-9]+_[a-z0-9_]+)`")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as the usual renderers make them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    titles = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles}


def broken(page: Path, text: str) -> Iterator[str]:
    """Links and names of a page that lead nowhere."""
    for target, anchor in LINK.findall(text):
        if "://" not in target:
            there = page.parent / target if target else page
            if not there.exists():
                yield f"no file {target}"
            elif anchor and there.suffix == ".md" and anchor not in anchors(there):
                yield f"no heading {anchor} in {target or page.name}"
    for name in NAMED.findall(text):
        if not (ROOT / name).exists():
            yield f"no file {name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_and_names_of_files_lead_somewhere(page: Path) -> None:
    assert list(broken(page, page.read_text())) == []


def test_a_link_a_heading_and_a_file_that_do_not_exist_are_seen() -> None:
    page = ROOT / "docs" / "architecture" / "README.md"
    text = "[a](nowhere.md) [b](glossary.md#nothing) [c](#nothing) `services/nothing.py` [d](https://example.org/nowhere) [e](glossary.md)"
    found = [
        "no file nowhere.md",
        "no heading nothing in glossary.md",
        "no heading nothing in README.md",
        "no file services/nothing.py",
    ]
    assert list(broken(page, text)) == found


def test_each_test_that_a_document_names_exists() -> None:
    defined = {
        name for path in (ROOT / "tests").rglob("*.py") for name in re.findall(r"def (test_\w+)", path.read_text())
    }
    files = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    named = {name for page in PAGES for name in TEST.findall(page.read_text())}
    assert len(named) > 30
    assert named - defined - files == set()


def test_the_page_of_the_architecture_names_every_fence() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    page = (ROOT / "docs" / "architecture" / "README.md").read_text()
    table = page.partition("Import fences hold this.")[2].partition("## The path of one event")[0]
    assert [each["id"] for each in contracts if f"`{each['id']}`" not in table] == []
