"""Templates name words that are there: a word that moved to another module would be a page that fails, seen only where it is shown."""

import importlib
from importlib.util import find_spec
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

ROOT = Path(__file__).parents[2]
ROOMS = ("enrolment", "grouping", "sessions", "notifications", "analytics")
PAGES = sorted(each for room in ROOMS for each in (ROOT / room).rglob("templates/**/*.html"))
HTML = Environment(autoescape=True, extensions=["jinja2.ext.i18n"])


def words_of(template: str, name: str = "words") -> set[str]:
    """The attributes that a template reads from the variable `name`, unless it imports a template by that name."""
    tree = HTML.parse(template)
    if any(each.target == name for each in tree.find_all(nodes.Import)):
        return set()
    read = tree.find_all(nodes.Getattr)
    return {each.attr for each in read if isinstance(each.node, nodes.Name) and each.node.name == name}


def wording_of(page: Path) -> str:
    """The module of words beside the templates of a page."""
    folder = page
    while folder.name != "templates":
        folder = folder.parent
    return ".".join((*folder.parent.relative_to(ROOT).parts, "wording"))


@pytest.mark.parametrize("page", PAGES, ids=lambda each: "/".join(each.relative_to(ROOT).parts))
def test_each_word_that_a_page_names_is_in_the_wording_beside_it(page: Path) -> None:
    named = {"words": wording_of(page), "questions": f"{page.relative_to(ROOT).parts[0]}.questions"}
    for name, module in named.items():
        if (words := words_of(page.read_text(), name)) and find_spec(module) is not None:
            held = importlib.import_module(module)
            assert {each for each in words if not hasattr(held, each)} == set()


def test_words_come_from_the_wording_beside_the_templates_or_from_another_template() -> None:
    assert len(PAGES) > 50
    without = {each.name for each in PAGES if words_of(each.read_text()) and find_spec(wording_of(each)) is None}
    assert without == set()


def test_a_word_that_is_not_there_is_found() -> None:
    assert words_of("{{ _(words.HERE.get(value)) }}{{ words.call(1) }}") == {"HERE", "call"}
    assert words_of('{% import "x.html" as words %}{{ words.call(1) }}') == set()
