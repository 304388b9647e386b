"""Days, times and lists in the words of Italian and English."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from services.web.frame import Frame
from services.web.frame.dates import listed, number, percent, the_day, the_weekday
from tests.helpers.days import today
from tests.web.framed import framed

MONDAY = date(2026, 11, 16)
EVENING = datetime(2026, 11, 16, 17, 30, tzinfo=UTC)


def shown(template: str, language: str = "it", zone: str | None = "Europe/Rome", **values: object) -> str:
    rules = SimpleNamespace(zone=ZoneInfo(zone)) if zone else None
    return framed({"t.txt": "{{ " + template + " }}"}).html(language, "t.txt", rules=rules, **values)


@pytest.mark.parametrize(
    ("template", "italian", "english"),
    [
        ("d|day", "lunedì 16 novembre 2026", "Monday 16 November 2026"),
        ("d|short_day", "lun 16 nov", "Mon 16 Nov"),
        ("d|long_day", "lunedì 16 novembre", "Monday 16 November"),
        ("d|month", "novembre 2026", "November 2026"),
        ("t|day", "lunedì 16 novembre 2026", "Monday 16 November 2026"),
        ("t|time", "18:30", "18:30"),
        ("(t|moment)|striptags", "lunedì 16 novembre, ore 18:30", "Monday 16 November, at 18:30"),
        ("1234.5|number", "1.234,5", "1,234.5"),
        ("0.912|percent", "91%", "91%"),
        ("['a', 'b', 'c']|listed", "a, b e c", "a, b and c"),
        ("3|days_ago", "da 3 giorni", "for 3 days"),
        ("1|days_ago", "da 1 giorno", "for 1 day"),
        ("0|days_ago", "da oggi", "since today"),
    ],
)
def test_a_filter_writes_as_the_language_does(template: str, italian: str, english: str) -> None:
    assert shown(template, d=MONDAY, t=EVENING) == italian
    assert shown(template, "en", d=MONDAY, t=EVENING) == english


@pytest.mark.parametrize(
    ("day", "preposition", "text"),
    [
        (date(2026, 12, 8), "", "l'8 dicembre 2026"),
        (date(2026, 12, 9), "", "il 9 dicembre 2026"),
        (date(2026, 12, 11), "", "l'11 dicembre 2026"),
        (date(2026, 12, 18), "", "il 18 dicembre 2026"),
        (date(2026, 12, 1), "", "il 1º dicembre 2026"),
        (date(2026, 12, 21), "", "il 21 dicembre 2026"),
        (date(2026, 12, 8), "da", "dall'8 dicembre 2026"),
        (date(2026, 12, 9), "a", "al 9 dicembre 2026"),
        (date(2026, 12, 11), "di", "dell'11 dicembre 2026"),
    ],
)
def test_a_day_of_the_month_has_its_article_and_its_preposition(day: date, preposition: str, text: str) -> None:
    assert the_day(day, "it", preposition=preposition) == text


def test_the_weekday_on_which_something_repeats_has_its_article() -> None:
    assert [the_weekday(each, "it") for each in (1, 2, 6, 7)] == ["il lunedì", "il martedì", "il sabato", "la domenica"]
    assert the_weekday(7, "en") == "Sundays"
    assert the_day(date(2026, 12, 8), "en", preposition="da") == "8 December 2026"


def test_a_time_is_of_the_zone_of_the_programme_also_near_midnight() -> None:
    late = datetime(2026, 11, 16, 23, 30, tzinfo=UTC)
    assert shown("t|day", t=late) == "martedì 17 novembre 2026"
    assert shown("t|day", zone="America/New_York", t=late) == "lunedì 16 novembre 2026"
    assert shown("t|time", zone="America/New_York", t=late) == "18:30"
    assert shown("t|time", zone=None, t=late) == "00:30"


def test_a_day_since_which_somebody_waits_counts_from_the_day_and_not_from_the_hour() -> None:
    assert shown("d|days_ago", d=today() - timedelta(days=3)) == "da 3 giorni"
    assert shown("d|days_ago", d=datetime.now(UTC)) == "da oggi"


def test_a_macro_without_the_programme_fails_and_does_not_guess_a_zone() -> None:
    templates = {
        "m.html": "{% macro at(t) %}{{ t|moment }}{% endmacro %}",
        "p.html": "{% import 'm.html' as m %}{{ m.at(t) }}",
    }
    with pytest.raises(KeyError, match="rules"):
        framed(templates).html("it", "p.html", t=EVENING)


def test_an_empty_list_and_one_of_one_are_written_plainly() -> None:
    assert (listed([], "it"), listed(["a"], "it"), number(3, "it"), percent(1, "en")) == ("", "a", "3", "100%")


def test_a_template_that_misspells_a_name_fails() -> None:
    with pytest.raises(Exception, match="undefined"):
        framed({"t.html": "{{ whoo }}"}).html("it", "t.html")
    assert Frame().text("it", "Today") == "Oggi"
