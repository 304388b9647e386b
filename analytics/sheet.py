"""The figures as lines of tables: what a page shows as data, and what its CSV file holds.

Invariant: a page and its file have the same lines. Texts are marked here and translated where they are shown.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from io import StringIO
from typing import Any

from analytics.indicators import Indicators
from analytics.process import Pace, Process, Progress
from services.programmes import Programme
from services.web.frame.texts import N_

Translate = Callable[..., str]
SECTIONS = {
    "groups": N_("Groups"),
    "meetings": N_("Meetings"),
    "seats": N_("Seats"),
    "places": N_("Places"),
    "other": N_("Other targets"),
    "people": N_("People"),
    "referrals": N_("Referrals by organisation and month"),
    "attendance": N_("Attendance"),
    "surveys": N_("Questionnaires"),
}
COLUMNS = (N_("Section"), N_("Figure"), N_("Number"), N_("Target"), N_("Expected by today"))
FORMULA = tuple("=+-@\t\r")  # a spreadsheet would compute a cell that begins so


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: a marked `text` with its `values`, a number, and for a figure with a target what is expected by today."""

    section: str
    text: str
    number: float | None
    target: int | None = None
    expected: int | None = None
    values: dict[str, Any] = field(default_factory=dict)


def of_process(found: Process) -> list[Entry]:
    """Return the lines that have no person behind them."""
    calendar = found.calendar
    return [
        _with_target("groups", N_("Groups formed"), found.groups),
        Entry("groups", N_("Groups that meet now"), found.running),
        Entry("groups", N_("Groups that have concluded"), found.concluded),
        Entry("groups", N_("Groups of people from one company"), found.homogeneous),
        Entry("groups", N_("Groups of people from different companies"), found.heterogeneous),
        _with_target("meetings", N_("Meetings held"), found.meetings),
        Entry("meetings", N_("Meetings in the calendars of the groups"), calendar.planned),
        Entry("meetings", N_("Meetings due by now"), calendar.due),
        Entry("meetings", N_("Meetings due, without a roll-call"), calendar.missing),
        _with_target("seats", N_("Most seats in the groups formed"), found.seats),
        Entry("places", N_("Places registered"), found.places),
        Entry("places", N_("Groups that can meet there at a time"), found.rooms),
        Entry("places", N_("Places in use"), found.used),
        *(Entry("other", "%(name)s", None, target, values={"name": name}) for name, target in found.other),
    ]


def of_people(found: Indicators, rules: Programme) -> list[Entry]:
    """Return the lines that count people, for those who may see true counts."""
    return [
        Entry("people", N_("People referred"), found.referred),
        Entry("people", N_("People admitted"), found.admitted),
        Entry("people", N_("People not admitted"), found.declined),
        Entry("people", N_("People with a seat in a group"), found.seated),
        Entry("people", N_("People who wait for a seat"), found.waiting),
        Entry("people", N_("People who came to one meeting or more"), found.took_part),
        Entry("people", N_("People who left"), found.withdrawn),
        Entry("people", N_("People who left because they found work"), found.found_work),
        Entry(
            "people",
            N_("Days from the referral to the first day in a group (median)"),
            found.days_from_referral_to_first_meeting,
        ),
        *(
            Entry(
                "referrals",
                N_("%(partner)s, %(month)s"),
                each.referred,
                values={"partner": _name_of(each.partner, rules), "month": date.fromisoformat(f"{each.month}-01")},
            )
            for each in found.referrals
        ),
        Entry("attendance", N_("Seats of all meetings held"), found.attendance.members),
        Entry("attendance", N_("People present, over all meetings"), found.attendance.present),
        *_surveys(found),
    ]


def _surveys(found: Indicators) -> Iterator[Entry]:
    for each in found.surveys:
        values = {"instrument": each.instrument, "wave": each.wave}
        yield Entry("surveys", N_("%(instrument)s, %(wave)s: people asked"), each.invited, values=values)
        yield Entry("surveys", N_("%(instrument)s, %(wave)s: people who answered"), each.submitted, values=values)


def written(entries: Iterable[Entry], translate: Translate) -> str:
    """Return the lines as CSV with semicolons, as spreadsheets of this country read it: a line of titles, then a line for each entry."""
    text = StringIO()
    sheet = csv.writer(text, delimiter=";", lineterminator="\r\n")
    sheet.writerow([translate(each) for each in COLUMNS])
    for each in entries:
        cells = (translate(SECTIONS[each.section]), translate(each.text, **each.values))
        sheet.writerow([*(_harmless(cell) for cell in cells), *map(_figure, (each.number, each.target, each.expected))])
    return text.getvalue()


def _with_target(section: str, text: str, found: Progress) -> Entry:
    expected = None if found.pace is Pace.NO_TARGET else round(found.expected)
    return Entry(section, text, found.reached, found.target, expected)


def _name_of(partner: str, rules: Programme) -> str:
    known = rules.partner(partner)
    return known.name if known is not None else partner


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _figure(number: float | None) -> str:
    if number is None:
        return ""
    # A decimal comma, beside semicolons: the two belong together.
    return str(number) if isinstance(number, int) else f"{number:.1f}".replace(".", ",")
