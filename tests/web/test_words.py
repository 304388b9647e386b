"""Templates name words that are there: a word that moved to another module would be a page that fails, seen only where it is shown."""

import importlib
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

ROOT = Path(__file__).parents[2]
PEOPLE = sorted((ROOT / "enrolment" / "people" / "templates" / "people").glob("*.html"))
MODULES = {"words": "enrolment.people.wording", "questions": "enrolment.questions"}
HTML = Environment(autoescape=True, extensions=["jinja2.ext.i18n"])


def words_of(template: str, name: str = "words") -> set[str]:
    """The attributes that a template reads from the variable `name`, unless it imports a template by that name."""
    tree = HTML.parse(template)
    if any(each.target == name for each in tree.find_all(nodes.Import)):
        return set()
    read = tree.find_all(nodes.Getattr)
    return {each.attr for each in read if isinstance(each.node, nodes.Name) and each.node.name == name}


@pytest.mark.parametrize("page", PEOPLE, ids=lambda each: each.stem)
def test_each_word_that_a_page_about_people_names_is_in_their_wording(page: Path) -> None:
    for name, module in MODULES.items():
        held = importlib.import_module(module)
        assert {each for each in words_of(page.read_text(), name) if not hasattr(held, each)} == set()


def test_no_other_template_takes_words_from_a_module() -> None:
    pages = [each for each in ROOT.glob("*/**/templates/**/*.html") if each not in PEOPLE and ".venv" not in each.parts]
    assert len(pages) > 50
    assert {each.name: found for each in pages if (found := words_of(each.read_text()))} == {}


def test_a_word_that_is_not_there_is_found() -> None:
    assert words_of("{{ _(words.HERE.get(value)) }}{{ words.call(1) }}") == {"HERE", "call"}
    assert words_of('{% import "x.html" as words %}{{ words.call(1) }}') == set()
