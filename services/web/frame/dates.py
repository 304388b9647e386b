"""Days, times, numbers and lists in words, by Babel, in the reader's language.

Invariant: no sentence is put together from parts here except through a pattern of the language; a time is shown in the programme's zone,
never in that of the machine.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, tzinfo
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_skeleton
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent

from services.web.frame.texts import LOCALES

DEFAULT_ZONE = ZoneInfo("Europe/Rome")  # of pages that belong to no programme
SUNDAY = 7  # of date.isoweekday
# Italian articles, alone and joined to a preposition: before a vowel (otto, undici), and before a consonant.
_ARTICLES: Mapping[str, tuple[str, str]] = {
    "": ("l'", "il "),
    "a": ("all'", "al "),
    "da": ("dall'", "dal "),
    "di": ("dell'", "del "),
}
_BEGIN_WITH_A_VOWEL = (8, 11)  # days of the month, in Italian


def day(value: date, language: str, zone: tzinfo = DEFAULT_ZONE) -> str:
    """Write a day with its weekday: lunedì 16 novembre 2026. A time counts as its day in the zone."""
    return format_date(_day(value, zone), "EEEE d MMMM y", locale=LOCALES[language])


def short_day(value: date, language: str, zone: tzinfo = DEFAULT_ZONE) -> str:
    """Write a day for a narrow column: lun 16 nov."""
    return format_date(_day(value, zone), "EEE d MMM", locale=LOCALES[language])


def long_day(value: date, language: str, zone: tzinfo = DEFAULT_ZONE) -> str:
    """Write a day with its weekday and without the year: lunedì 16 novembre."""
    return format_date(_day(value, zone), "EEEE d MMMM", locale=LOCALES[language])


def full_date(value: date, language: str, zone: tzinfo = DEFAULT_ZONE) -> str:
    """Write a day with its year and without its weekday: 16 novembre 2026."""
    return format_date(_day(value, zone), "d MMMM y", locale=LOCALES[language])


def time_of(value: datetime, language: str, zone: tzinfo = DEFAULT_ZONE) -> str:
    """Write the time of day on the 24-hour clock: 18:30."""
    return format_skeleton("Hm", value.astimezone(zone), tzinfo=zone, locale=LOCALES[language])


def month(value: date, language: str, zone: tzinfo = DEFAULT_ZONE) -> str:
    """Write a month: novembre 2026."""
    return format_date(_day(value, zone), "LLLL y", locale=LOCALES[language])


def the_day(value: date, language: str, zone: tzinfo = DEFAULT_ZONE, preposition: str = "") -> str:
    """Write a day with its article: l'8 dicembre 2026, il 9 dicembre 2026. `preposition` (Italian: a, da, di) is joined to the article:
    dall'8 dicembre. English has no article here, and needs no preposition in front of it: it stands in the sentence."""
    found = _day(value, zone)
    text = format_date(found, "d MMMM y", locale=LOCALES[language])
    if language != "it":
        return text
    # The first of a month is read as "primo".
    text = text.replace("1 ", "1º ", 1) if found.day == 1 else text
    vowel, consonant = _ARTICLES[preposition]
    return (vowel if found.day in _BEGIN_WITH_A_VOWEL else consonant) + text


def the_weekday(number: int, language: str) -> str:
    """Write the weekday on which something repeats (1 Monday to 7 Sunday): il lunedì, la domenica."""
    name = format_date(date(2024, 1, number), "EEEE", locale=LOCALES[language])  # 1 January 2024 was a Monday
    if language != "it":
        return f"{name}s"
    return f"la {name}" if number == SUNDAY else f"il {name}"


def number(value: float, language: str) -> str:
    """Write a number as the language does: 1.234,5."""
    return format_decimal(value, locale=LOCALES[language])


def percent(value: float, language: str) -> str:
    """Write a share of 1 as whole per cent: 91%."""
    return format_percent(value, locale=LOCALES[language])


def listed(values: Iterable[object], language: str) -> str:
    """Write a list as in a sentence: a, b e c. Empty for nothing."""
    return format_list([str(each) for each in values], locale=LOCALES[language])


def _day(value: date, zone: tzinfo) -> date:
    return value.astimezone(zone).date() if isinstance(value, datetime) else value
