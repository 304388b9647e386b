"""The survey page as it is shown, by its HTML alone."""

from datetime import date
from html import unescape
from typing import Any

import pytest
from starlette.requests import Request

from services.programmes.instruments import Instrument, load_all
from services.web.frame.texts import LANGUAGES
from sessions.pages import FRAME
from sessions.survey_page import form_of_survey, judge, language_for

OURS = load_all()["ama-own"]


def shown(instrument: Instrument = OURS, language: str = "it", judged: bool = False, **given: str) -> str:
    filled = form_of_survey(instrument, language_for(instrument, language)).empty(**given)
    if judged:
        judge(filled, instrument, {name: float(value) for name, value in given.items()})
    query = f"lang={language}".encode()
    request = Request({"type": "http", "method": "GET", "path": "/questionario/x", "query_string": query, "headers": [], "scheme": "http", "server": ("site", 80)})  # fmt: skip # noqa: E501
    about: dict[str, Any] = {
        "title": instrument.titles.get(language, instrument.title),
        "introduction": instrument.introduction.get(language),
    }
    return bytes(
        FRAME.page(
            request, "surveys/survey.html", form=filled, all=False, worded_in=language, until=date(2026, 9, 15), **about
        ).body
    ).decode()


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_question_is_a_group_of_choices_that_a_keyboard_reaches(language: str) -> None:
    page = unescape(shown(language=language))
    assert page.count("<fieldset") == page.count("<legend") == len(OURS.items)
    assert page.count('type="radio"') == len(OURS.items) * 5
    assert f'<html lang="{language}">' in page
    assert page.count("<h1") == 1
    assert page.count(f">{OURS.answers[language][0]}</label>") == len(OURS.items)
    for item in OURS.items:
        assert f"<legend>{item.text[language]}</legend>" in page


def test_the_page_says_until_when_and_who_reads_the_answers() -> None:
    page = shown()
    assert "Puoi rispondere fino a martedì 15 settembre 2026." in page
    assert "nessuno le legge con il tuo nome" in page


def test_what_was_given_is_still_there_and_what_is_wrong_is_named() -> None:
    page = unescape(shown(judged=True, identity="3"))
    assert 'name="identity" value="3" checked' in page
    assert page.count(" checked") == 1
    assert "<title>Errore:" in page
    assert '<a href="#self-esteem">Manca la risposta: Ho l\'impressione' in page
    assert 'id="self-esteem-wrong"' in page
    assert 'id="identity-wrong"' not in page


def test_an_instrument_without_choices_takes_a_number_and_keeps_what_was_written() -> None:
    told = load_all()["jobs2-depression"].model_dump()
    told["items"] = [{"id": "score", "text": {"it": "Quanto?"}}]
    page = shown(Instrument.model_validate(told), "it", score='1,9"><script>')
    assert '<input type="text" id="score" name="score" value="1,9&#34;&gt;&lt;script&gt;"' in page
    assert 'inputmode="decimal"' in page


def test_who_reads_a_language_that_the_questions_lack_gets_them_in_another() -> None:
    told = OURS.model_dump()
    told["items"] = [{**item, "text": {"it": item["text"]["it"]}} for item in told["items"]]
    alone = Instrument.model_validate(told)
    assert alone.languages == ["it"]
    assert language_for(alone, "en") == "it"
