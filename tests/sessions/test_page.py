"""The survey page as it is shown, by its HTML alone."""

from datetime import date

import pytest

from services.programmes.instruments import load_all
from sessions.survey_page import form, notice
from sessions.wording import LANGUAGES, WORDS

DUE = date(2026, 9, 15)


def shown(instrument: str = "ama-own", language: str = "it", **given: str) -> str:
    return bytes(form(load_all()[instrument], DUE, language, given, {}).body).decode()


def test_every_language_says_the_same_things() -> None:
    assert LANGUAGES.keys() == WORDS.keys()
    assert len({frozenset(words) for words in WORDS.values()}) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_question_is_a_group_of_choices_that_a_keyboard_reaches(language: str) -> None:
    page, instrument = shown(language=language), load_all()["ama-own"]
    assert page.count("<fieldset") == page.count("<legend") == len(instrument.items)
    assert page.count('type="radio"') == len(instrument.items) * 5
    assert f'<html lang="{language}">' in page
    for item in instrument.items:
        assert item.text[language].replace("'", "&#39;") in page


def test_nothing_is_run_or_fetched_from_elsewhere() -> None:
    page = shown()
    assert not [each for each in ("<script", "src=", "http:", "https:", "@import", "url(") if each in page]


def test_what_was_given_is_still_there_and_what_is_wrong_is_named() -> None:
    instrument = load_all()["who5"]
    page = bytes(form(instrument, DUE, "en", {"i1": "3"}, {"i2": "unanswered"}, "errors", 422).body).decode()
    assert 'name="i1" value="3" required checked' in page
    assert page.count("checked") == 1
    assert '<a href="#i2"' in page
    assert 'id="i2-wrong"' in page
    assert 'id="i1-wrong"' not in page


def test_an_instrument_without_choices_takes_a_number_and_keeps_what_was_written() -> None:
    page = shown("jobs2-depression", "en", score='1,9"><script>')
    assert '<input type="number" name="score" min="1" max="5" step="any"' in page
    assert "1,9&#34;&gt;&lt;script&gt;" in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_notice_says_one_thing_in_the_language_asked_for(language: str) -> None:
    answer = notice("submitted", language)
    assert WORDS[language]["submitted"] in bytes(answer.body).decode()
    assert answer.headers["content-language"] == language
