"""The form of a roll-call: one question for each member of the day, by name where enrolment gives it.

Invariant: nobody is absent because nothing was marked: a roll is sent when every member is marked.
"""

from collections.abc import Mapping

from services.kernel import code_of
from services.web.frame import Field, Filled, Form, Kind
from services.web.frame.texts import N_
from sessions.meetings.queries import Sheet

PRESENT, ABSENT = "presente", "assente"
ANSWERS = {PRESENT: N_("present"), ABSENT: N_("absent")}
UNMARKED = N_("Mark as present or absent: %(label)s")
SEEN = "seen"  # the version of the meeting that the page showed


def field_of(worker: str) -> str:
    """The name of the question about this member."""
    return f"m.{worker}"


def form_of(sheet: Sheet, names: Mapping[str, str] | None) -> Form:
    """The form for the members of a meeting, labelled by name, or by code where there is none."""
    called = names or {}
    questions = [
        Field(field_of(each.worker), called.get(each.worker) or code_of(each.worker), Kind.RADIOS, options=ANSWERS)
        for each in sheet.members
    ]
    return Form(Field(SEEN, SEEN, Kind.HIDDEN), *questions)


def as_stored(form: Form, sheet: Sheet) -> Filled:
    """The form with the marks that are stored."""
    marked = {True: PRESENT, False: ABSENT, None: ""}
    values = {field_of(each.worker): marked[each.here] for each in sheet.members}
    return form.empty(**values, **{SEEN: str(sheet.version)})


def present_in(filled: Filled, sheet: Sheet) -> frozenset[str]:
    """The members who were marked as present. A member without a mark is a mistake in `filled`."""
    for each in sheet.members:
        if filled.values[field_of(each.worker)] not in ANSWERS:
            filled.wrong(field_of(each.worker), UNMARKED)
    return frozenset(each.worker for each in sheet.members if filled.values[field_of(each.worker)] == PRESENT)


def seen_in(filled: Filled) -> int:
    """The version of the meeting that the page showed; 0, which no stored meeting has, when that cannot be told."""
    text = filled.values[SEEN]
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def marked_in(filled: Filled, sheet: Sheet) -> int:
    """The number of members who are marked."""
    return sum(filled.values[field_of(each.worker)] in ANSWERS for each in sheet.members)


def differences(filled: Filled, sheet: Sheet) -> list[tuple[str, str, str]]:
    """Differences between the form and what is stored: the person as they are called, the form's answer, the stored one; "" is unmarked."""
    stored = as_stored(filled.form, sheet).values
    both = ((filled.form.fields[name], filled.values[name], stored[name]) for name in map(field_of, _workers(sheet)))
    return [(field.label, typed, kept) for field, typed, kept in both if typed != kept]


def _workers(sheet: Sheet) -> list[str]:
    return [each.worker for each in sheet.members]
