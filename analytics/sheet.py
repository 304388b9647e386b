"""The figures as lines of tables: what a page shows as data, and what its CSV file holds.

Invariant: a page and its file have the same lines. Texts are marked here and translated where they are shown.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from io import StringIO
from typing import Any

from analytics.followed import Followed, Redress
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
    "complaints": N_("Complaints"),
    "people": N_("People"),
    "paths": N_("Other services and situations after the programme"),
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


def of_complaints(found: Redress) -> list[Entry]:
    """Return the lines about complaints, which have no person behind them."""
    return [
        Entry("complaints", N_("Complaints received"), found.received),
        Entry("complaints", N_("Complaints answered"), found.answered),
        Entry("complaints", N_("Complaints late for an answer"), found.late),
    ]


STEPS = {
    "requested": N_("Requests that wait for the answer"),
    "needs-assessment": N_("Requests for which the service meets the person first"),
    "accepted": N_("Requests accepted"),
    "refused": N_("Requests not accepted"),
    "completed": N_("Requests after which the service was given"),
    "abandoned": N_("Requests given up"),
}
NEEDS = {
    "yes": N_("People say: need met"),
    "partly": N_("People say: need met in part"),
    "no": N_("People say: need not met"),
}
LEAVING = {
    "employed": N_("Upon leaving: employed"),
    "self-employed": N_("Upon leaving: self-employed"),
    "training": N_("Upon leaving: in education or training"),
    "searching": N_("Upon leaving: looking for work"),
    "inactive": N_("Upon leaving: not looking for work"),
}
LATER = {
    "employed": N_("Six months after: employed"),
    "self-employed": N_("Six months after: self-employed"),
    "training": N_("Six months after: in education or training"),
    "searching": N_("Six months after: looking for work"),
    "inactive": N_("Six months after: not looking for work"),
}
ESF = {
    "EECR02": N_("ESF+ EECR02: in education or training upon leaving"),
    "EECR04": N_("ESF+ EECR04: in employment upon leaving"),
    "EECR05": N_("ESF+ EECR05: in employment six months after leaving"),
}


def of_paths(found: Followed) -> list[Entry]:
    """Return the lines about other services and situations, for those who may see true counts."""
    return [
        Entry("paths", N_("People told of another service"), found.signposted),
        Entry("paths", N_("Requests to other services"), found.requests),
        *(Entry("paths", text, found.steps.get(step, 0)) for step, text in STEPS.items()),
        *(Entry("paths", text, found.needs.get(met, 0)) for met, text in NEEDS.items()),
        *(Entry("paths", text, found.leaving.get(each, 0)) for each, text in LEAVING.items()),
        *(Entry("paths", text, found.later.get(each, 0)) for each, text in LATER.items()),
        *(Entry("paths", text, found.esf.get(code, 0)) for code, text in ESF.items()),
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
