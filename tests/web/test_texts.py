"""Catalogues of texts: nothing is missing, guessed or out of date, and `make texts` loses no translation."""

import importlib
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po

from services.web.frame.texts import translations_of

texts: Any = importlib.import_module("ops.texts")  # not a package: mypy would find the file under two names
PAGE = '{{ _("Today") }} {{ ngettext("%(num)d person", "%(num)d people", n) }}'


@pytest.mark.parametrize("home", texts.homes(), ids=lambda each: each.sources.name)
def test_every_text_is_there_in_italian_and_no_catalogue_is_out_of_date(home: Any) -> None:
    assert list(texts.faults(home)) == []


def planted(tmp_path: Path, page: str = PAGE) -> Any:
    (tmp_path / "room" / "templates").mkdir(parents=True, exist_ok=True)
    (tmp_path / "room" / "templates" / "today.html").write_text(page)
    (tmp_path / "room" / "pages.py").write_text('SENTENCES = {"x": N_("It is %(size)s.")}\n')
    return texts.Home(tmp_path / "room", tmp_path / "room" / "locale")


def write(home: Any, language: str, content: bytes) -> None:
    home.catalogue(language).parent.mkdir(parents=True, exist_ok=True)
    home.catalogue(language).write_bytes(content)


def brought_up(home: Any, **translated: str) -> None:
    for language in ("it", "en"):
        write(home, language, texts.updated(home, language, texts.extracted(home)))
    text = home.catalogue("it").read_text()
    for english, italian in translated.items():
        text = text.replace(f'msgid "{english}"\nmsgstr ""', f'msgid "{english}"\nmsgstr "{italian}"')
    home.catalogue("it").write_text(text)


def test_texts_of_templates_and_of_python_are_extracted(tmp_path: Path) -> None:
    ids = {each.id for each in texts.extracted(planted(tmp_path)) if each.id}
    assert ids == {"Today", ("%(num)d person", "%(num)d people"), "It is %(size)s."}


def test_a_text_without_italian_is_named_and_english_needs_none(tmp_path: Path) -> None:
    home = planted(tmp_path)
    brought_up(home, Today="Oggi")
    found = list(texts.faults(home))
    assert len(found) == 2
    assert all("not translated" in each and "/it/" in each for each in found)


def test_a_new_text_makes_the_catalogues_out_of_date_and_no_translation_is_lost_or_guessed(tmp_path: Path) -> None:
    home = planted(tmp_path)
    brought_up(home, Today="Oggi")
    home = planted(tmp_path, PAGE + '{{ _("Todays") }}')
    assert sum("out of date" in each for each in texts.faults(home)) == 2
    brought_up(home)
    with home.catalogue("it").open("rb") as file:
        italian = {each.id: each for each in read_po(file)}
    assert italian["Today"].string == "Oggi"
    assert (italian["Todays"].string, italian["Todays"].fuzzy) == ("", False)


def test_a_text_that_is_gone_leaves_the_catalogue(tmp_path: Path) -> None:
    home = planted(tmp_path)
    brought_up(home, Today="Oggi")
    home = planted(tmp_path, "nothing")
    brought_up(home)
    assert "Oggi" not in home.catalogue("it").read_text()


def test_a_translation_that_lost_the_place_of_a_value_is_named(tmp_path: Path) -> None:
    home = planted(tmp_path)
    brought_up(home, **{"It is %(size)s.": "Sono %(taglia)s."})
    assert any("size" in each and "python" not in each for each in texts.faults(home))


def test_a_fuzzy_translation_is_named_and_not_shown(tmp_path: Path) -> None:
    home = planted(tmp_path)
    brought_up(home, Today="Oggi")
    text = home.catalogue("it").read_text()
    home.catalogue("it").write_text(text.replace('msgid "Today"', '#, fuzzy\nmsgid "Today"'))
    assert any("fuzzy" in each for each in texts.faults(home))
    assert translations_of("it", (home.locale,)).gettext("Today") == "Today"


def test_the_first_catalogue_that_has_a_text_gives_it_and_an_empty_one_is_passed_over(tmp_path: Path) -> None:
    one, other = planted(tmp_path / "a"), planted(tmp_path / "b")
    brought_up(one)
    brought_up(other, Today="Oggi")
    assert translations_of("it", (one.locale, other.locale)).gettext("Today") == "Oggi"
    assert translations_of("it", (tmp_path / "none", other.locale)).gettext("Today") == "Oggi"
    assert translations_of("en", (one.locale,)).ngettext("one", "several", 2) == "several"
