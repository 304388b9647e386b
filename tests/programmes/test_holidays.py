"""No group meets on a holiday: the calendar of the programme's country and town, and further days of its own."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from services.programmes import Programme, load_all, meeting_days
from services.programmes.loading import read_text
from services.programmes.model import Holidays
from services.settings import Misconfigured

BEFORE = (Path(__file__).parent / "files" / "before.toml").read_text()

ITALY = Holidays(calendar="IT-MB")


def programme(**holidays: object) -> Programme:
    return load_all()["monza-brianza"].model_copy(update={"holidays": Holidays.model_validate(holidays)})


# Easter Sundays of 2026 to 2030: the Astronomical Applications Department of the U.S. Naval Observatory.
EASTER = [date(2026, 4, 5), date(2027, 3, 28), date(2028, 4, 16), date(2029, 4, 1), date(2030, 4, 21)]
# Law 260 of 1949, with the changes of laws 54 of 1977 and 336 of 2000, and decree 792 of 1985.
FIXED = [(1, 1), (1, 6), (4, 25), (5, 1), (6, 2), (8, 15), (11, 1), (12, 8), (12, 25), (12, 26)]


@pytest.mark.parametrize("easter", EASTER, ids=lambda each: str(each.year))
def test_the_public_holidays_of_a_year_and_the_patron_saint_of_monza_are_holidays(easter: date) -> None:
    expected = {date(easter.year, month, day) for month, day in FIXED}
    expected |= {easter, easter + timedelta(days=1), date(easter.year, 6, 24)}
    if easter.year >= 2026:  # law 151 of 2025: Saint Francis, from 2026 on
        expected.add(date(easter.year, 10, 4))
    days = (date(easter.year, 1, 1) + timedelta(days=each) for each in range(366))
    # National Unity Day is the first Sunday of November, and closes nothing.
    found = {each for each in days if each in ITALY and each.year == easter.year}
    assert {each for each in found - expected if each.weekday() != 6} == set()
    assert expected <= found


def test_a_holiday_is_passed_over_and_the_rhythm_and_the_number_of_meetings_stay() -> None:
    days = meeting_days(programme(days=(date(2026, 12, 25), date(2027, 1, 1), date(2027, 1, 6))), date(2026, 12, 11))
    assert days[:3] == (date(2026, 12, 11), date(2027, 1, 8), date(2027, 1, 22))
    assert len(days) == 18
    assert {each.weekday() for each in days} == {4}


def test_the_first_day_is_the_operators_choice_also_on_a_holiday() -> None:
    assert meeting_days(programme(calendar="IT-MB"), date(2026, 12, 8))[0] == date(2026, 12, 8)


def test_without_holidays_a_group_meets_every_fortnight() -> None:
    days = meeting_days(programme(), date(2026, 12, 11))
    assert days == tuple(date(2026, 12, 11) + timedelta(days=14 * each) for each in range(18))


def test_the_shipped_programme_of_monza_has_the_holidays_of_its_town() -> None:
    rules = load_all()["monza-brianza"]
    assert [rules.is_holiday(date(2027, 6, each)) for each in (2, 23, 24)] == [True, False, True]


@pytest.mark.parametrize("calendar", ["XX", "IT-XX", "it", "IT-", "Italy", ""])
def test_a_calendar_that_does_not_exist_is_refused_with_its_line(calendar: str) -> None:
    text = BEFORE.replace("[sizes]", f'[holidays]\ncalendar = "{calendar}"\n[sizes]')
    with pytest.raises(Misconfigured, match=r"line \d+.*calendar"):
        read_text(text, "prova.toml")
