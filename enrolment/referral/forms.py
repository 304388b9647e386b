"""The form of a new referral: its fields, the model that checks it, and its answers in words.

Invariant: a field is asked for a reason that the form names; what the referrer need not know is not compulsory.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Self

from pydantic import StringConstraints

from enrolment import questions
from enrolment.facts import WORK_FIELDS, Contact, LostWork
from enrolment.referral.commands import Sketch
from services.contracts.base import Slug
from services.contracts.enrolment import How, Purpose
from services.programmes import Programme
from services.web import BirthYear, Company
from services.web.frame import Frame, dates
from services.web.frame.form import Field, Filled, Form, Kind
from services.web.frame.texts import N_

PURPOSES = {
    Purpose.PARTICIPATION.value: N_(
        "Take part in the programme, and have the personal data that it needs used for that"
    ),
    Purpose.CONTACT.value: N_("Receive messages about the meetings by e-mail or text message"),
    Purpose.RESEARCH.value: N_("Have the answers to the questionnaires used to see if the programme helps"),
    Purpose.PARTNER_FEEDBACK.value: N_("Let the organisation that refers know how far the person has come"),
}
HOW = {
    How.IN_PERSON.value: N_("Said face to face, with the notice explained"),
    How.SIGNED_PAPER.value: N_("Signed on paper, which this organisation keeps"),
}
FORM = Form(
    Field("given_name", N_("Given name"), why=N_("to call the person by name")),
    Field("family_name", N_("Family name"), why=N_("to recognise the person at the welcome interview")),
    questions.FISCAL_CODE,
    Field(
        "email",
        N_("E-mail address"),
        kind=Kind.EMAIL,
        hint=N_("The e-mail address, the telephone number, or both."),
        why=N_("to arrange the welcome interview and tell about the meetings"),
        needed=False,
    ),
    Field(
        "phone",
        N_("Telephone number"),
        kind=Kind.TELEPHONE,
        hint=N_("For example 333 123 4567."),
        why=N_("to arrange the welcome interview and tell about the meetings"),
        needed=False,
    ),
    questions.NOT_BY,
    questions.CALL_AT,
    Field(
        "language",
        N_("Language of the messages"),
        kind=Kind.RADIOS,
        options=questions.LANGUAGES,
        why=N_("messages are written in Italian or in English"),
    ),
    questions.BIRTH_YEAR,
    questions.GENDER,
    Field(
        "municipality",
        N_("Municipality where the person lives"),
        kind=Kind.SELECT,
        why=N_("to find a group that is not far"),
        needed=False,
    ),
    Field(
        "slots",
        N_("Times at which the person can come"),
        kind=Kind.CHECKBOXES,
        hint=N_("Only the times that are certain. Without any, whoever welcomes the person will ask."),
        why=N_("a group meets always on the same day, at the same time"),
        needed=False,
    ),
    questions.EMPLOYER,
    *questions.LOST_WORK,
    Field(
        "consents",
        N_("What the person said yes to"),
        kind=Kind.CHECKBOXES,
        options=PURPOSES,
        hint=N_("Each is a choice of its own. What the person has not decided yet stays empty: it is no refusal."),
        why=N_("nothing of this is done without the consent of the person"),
        needed=False,
    ),
    Field(
        "how",
        N_("How the person said so"),
        kind=Kind.RADIOS,
        options=HOW,
        hint=N_("Only if something was chosen above."),
        why=N_("the consent has to be shown later, if somebody asks"),
        needed=False,
    ),
)
SECTIONS = (
    (N_("The person"), ("given_name", "family_name", "fiscal_code")),
    (N_("How to reach them"), ("email", "phone", "not_by", "call_at", "language")),
    (
        N_("What helps to find a group"),
        ("birth_year", "gender", "municipality", "slots"),
    ),
    (N_("The job that was lost"), ("employer", *WORK_FIELDS)),
    (N_("Consents of the person"), ("consents", "how")),
)
# Refusals of the command that concern one field; any other is shown above the form.
AT = {
    "no-such-slot": "slots",
    "slot-retired": "slots",
    "no-such-municipality": "municipality",
    "municipality-retired": "municipality",
}


class NewReferral(Contact, LostWork):
    """A form that was checked. None and empty: not said."""

    birth_year: BirthYear | None = None
    gender: Annotated[str, StringConstraints(pattern=r"^[fmx]$")] | None = None
    municipality: Slug | None = None
    slots: tuple[Slug, ...] = ()
    employer: Company | None = None
    consents: tuple[Purpose, ...] = ()
    how: How | None = None

    @classmethod
    def of(cls, filled: Filled) -> Self | None:
        """Check the form; what is wrong is told at its field."""
        body = filled.checked(cls)
        questions.leaves_a_way(filled)
        if not (filled.values["email"] or filled.values["phone"]):
            filled.wrong(
                "email",
                N_("Write an e-mail address or a telephone number: without either, nobody can call the person."),
            )
        if filled.values["consents"] and not filled.values["how"]:
            filled.wrong(
                "how", N_("Choose how the person said so: a consent is recorded together with how it was given.")
            )
        return None if filled.errors else body

    @property
    def sketch(self) -> Sketch:
        """The known part of the profile."""
        return Sketch.model_validate({name: getattr(self, name) for name in Sketch.model_fields})


def offer(filled: Filled, rules: Programme, frame: Frame, language: str) -> Filled:
    """Give the form what there is to choose from in this programme."""
    towns = sorted(rules.active.municipalities, key=lambda each: each.name)
    filled.offer("municipality", {each.id: each.name for each in towns})
    slots = sorted(rules.active.slots, key=lambda each: (each.isoweekday, each.at))
    pattern = N_("%(weekday)s at %(time)s")
    filled.offer(
        "slots",
        {
            each.id: frame.text(
                language, pattern, weekday=dates.the_weekday(each.isoweekday, language), time=f"{each.at:%H:%M}"
            )
            for each in slots
        },
    )
    return filled


def answers(filled: Filled, names: tuple[str, ...], frame: Frame, language: str) -> Iterator[tuple[str, Any]]:
    """Each question of a section with its answer in words."""
    for name in names:
        field, value = filled.form.fields[name], filled.values[name]
        if isinstance(value, list):
            chosen = [
                frame.text(language, filled.options[name][each]) for each in value if each in filled.options[name]
            ]
            yield field.label, "; ".join(chosen)
        elif name in filled.options and value:
            yield field.label, frame.text(language, filled.options[name].get(value, value))
        else:
            yield field.label, value
