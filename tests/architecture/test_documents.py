"""Documents lead to files, headings and tests that exist."""

import ast
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
CODE = r"[\w./-]+\.py"
# "`A`, `b` (`path.py`)", "`A` in `path.py`" and cells of a table "| `A` | `path.py` |"; parentheses after a name are its arguments
NAME = r"`[A-Za-z_][\w.]*(?:\([^`]*\))?`"
SYMBOLS = re.compile(rf"((?:{NAME}(?:, | and |,\n\s*| and\n\s*))*{NAME})(?:\s+\(|\s+in\s+|\s+\|\s+)`({CODE})`")


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


def misplaced(text: str) -> Iterator[str]:
    """Symbols and tests that a text places in a file which does not define them."""
    for names, file in SYMBOLS.findall(text):
        if (ROOT / file).is_file():
            defined = definitions(ast.parse((ROOT / file).read_text()))
            symbols = [
                name
                for name in re.findall(r"`([A-Za-z_][\w.]*)", names)
                if "/" not in name and not name.endswith(".py")
            ]
            yield from (f"no {name} in {file}" for name in symbols if name not in defined)


def definitions(tree: ast.Module | ast.ClassDef, prefix: str = "") -> set[str]:
    """Classes, functions, fields and constants of a module; members of a class with the name of the class and a dot before them."""
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(f"{prefix}{node.name}")
        if isinstance(node, ast.ClassDef):
            found |= definitions(node, f"{prefix}{node.name}.")
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        found |= {f"{prefix}{each.id}" for each in targets if isinstance(each, ast.Name)}
    return found


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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_symbol_or_a_test_is_defined_in_the_file_that_a_document_names(page: Path) -> None:
    assert list(misplaced(page.read_text())) == []


def test_the_documents_name_many_symbols_with_their_files() -> None:
    found = [file for page in PAGES for _, file in SYMBOLS.findall(page.read_text())]
    assert len(found) > 120
    assert len([file for file in found if file.startswith("tests/")]) > 40


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("`Relay` (`services/events/outbox/relay.py`) and `Relay.run` in `services/events/outbox/relay.py`.", []),
        ("`Sending` (`services/events/outbox/producer.py`)", ["no Sending in services/events/outbox/producer.py"]),
        ("`Relay.fly` in `services/events/outbox/relay.py`", ["no Relay.fly in services/events/outbox/relay.py"]),
        ("`run`\n   (`services/events/outbox/relay.py`)", ["no run in services/events/outbox/relay.py"]),
        (
            "| a relay | `Relay`, `Nothing` | `services/events/outbox/relay.py` |",
            ["no Nothing in services/events/outbox/relay.py"],
        ),
        ("`solved(problem)` (`grouping/proposals/queries.py`)", []),
        (
            "`test_any_order_with_any_repeats_is_taken_once_and_in_order`, `test_b` in `tests/events/test_take.py`",
            ["no test_b in tests/events/test_take.py"],
        ),
        (
            "`test_any_order_with_any_repeats_is_taken_once_and_in_order` in `tests/events/test_fenced.py`",
            ["no test_any_order_with_any_repeats_is_taken_once_and_in_order in tests/events/test_fenced.py"],
        ),
    ],
)
def test_a_symbol_or_a_test_in_another_file_is_seen(text: str, found: list[str]) -> None:
    assert list(misplaced(text)) == found


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
