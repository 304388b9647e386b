"""The forms of people who ask by themselves: the address first, and what helps to welcome them behind the link.

Invariant: each question says why it is asked; apart from the name nothing is compulsory.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, Self

from pydantic import BaseModel, StringConstraints

from enrolment import questions
from enrolment.facts import Contact, LostWork, Sketch
from services.contracts.base import Slug
from services.contracts.enrolment import Purpose
from services.programmes import Programme
from services.web import BirthYear, Email, Telephone
from services.web.frame import Frame, dates
from services.web.frame.form import Field, Filled, Form, Kind
from services.web.frame.texts import N_

WRITE_ONE = N_("Write an e-mail address or a mobile number: one of the two is enough.")
ADDRESS = Form(
    Field("programme", N_("Programme"), kind=Kind.HIDDEN),
    Field(
        "email",
        N_("Your e-mail address"),
        kind=Kind.EMAIL,
        autocomplete="email",
        why=N_("we send the link to the form to it"),
        needed=False,
    ),
    Field(
        "phone",
        N_("Or your mobile number"),
        kind=Kind.TELEPHONE,
        hint=N_("For example 333 123 4567. Only if you have no e-mail address."),
        autocomplete="tel",
        needed=False,
    ),
)
PURPOSES = {
    Purpose.PARTICIPATION.value: N_("I want to take part, and my data may be used for that"),
    Purpose.CONTACT.value: N_("You may write to me about the meetings"),
    Purpose.RESEARCH.value: N_("My answers to the questionnaires may be used to see if the programme helps"),
}
SUBJECT = {"employment": N_("Your situation at work"), "heard": N_("How you heard of the programme")}
FORM = Form(
    Field("given_name", N_("Your given name"), why=N_("to call you by name"), autocomplete="given-name"),
    Field(
        "family_name", N_("Your family name"), why=N_("to recognise you at the interview"), autocomplete="family-name"
    ),
    Field(
        "email", N_("Your e-mail address"), kind=Kind.EMAIL, why=N_("to write to you about the meetings"), needed=False
    ),
    Field("phone", N_("Your telephone number"), kind=Kind.TELEPHONE, why=N_("to arrange the interview"), needed=False),
    replace(
        questions.NOT_BY, label=N_("What you do not want"), why=N_("the choice is yours, and every message keeps to it")
    ),
    replace(questions.CALL_AT, why=N_("so that we do not call when you cannot speak")),
    replace(questions.BIRTH_YEAR, label=N_("Your year of birth")),
    questions.GENDER,
    Field(
        "municipality", N_("Where you live"), kind=Kind.SELECT, why=N_("to find a group that is not far"), needed=False
    ),
    Field(
        "slots",
        N_("When you can come"),
        kind=Kind.CHECKBOXES,
        why=N_("a group meets always on the same day, at the same time"),
        needed=False,
    ),
    *(replace(each, label=SUBJECT[each.name]) for each in questions.LOST_WORK if each.name in SUBJECT),
    Field(
        "consents",
        N_("What you say yes to"),
        kind=Kind.CHECKBOXES,
        options=PURPOSES,
        hint=N_("Each is a choice of its own. You can decide at the interview, and change your mind at any time."),
        why=N_("nothing of this is done without your consent"),
        needed=False,
    ),
)


class Address(BaseModel):
    """One address, where the link to the form goes."""

    programme: Slug
    email: Email | None = None
    phone: Telephone | None = None

    @classmethod
    def of(cls, filled: Filled) -> Self | None:
        """Check the form: one of the two is enough."""
        body = filled.checked(cls)
        if not filled.values["email"] and not filled.values["phone"]:
            filled.wrong("email", WRITE_ONE)
        return None if filled.errors else body

    def card(self, language: str) -> dict[str, str]:
        """The address as a contact card has it; an e-mail address comes first."""
        one = {"email": self.email} if self.email else {"phone": self.phone or ""}
        return {**one, "language": language}


class Request(Contact, LostWork):
    """The form, checked. None and empty: not said."""

    birth_year: BirthYear | None = None
    gender: Annotated[str, StringConstraints(pattern=r"^[fmx]$")] | None = None
    municipality: Slug | None = None
    slots: tuple[Slug, ...] = ()
    consents: tuple[Purpose, ...] = ()

    @classmethod
    def of(cls, filled: Filled, language: str) -> Self | None:
        """Check the form; what is wrong is told at its field."""
        body = filled.checked(cls, language=language)
        questions.leaves_a_way(filled)
        return None if filled.errors else body

    @property
    def sketch(self) -> Sketch:
        """The known part of the profile."""
        return Sketch.model_validate(
            {name: getattr(self, name, None) for name in Sketch.model_fields if name != "employer"}
        )


def offer(filled: Filled, rules: Programme, frame: Frame, language: str) -> Filled:
    """Give the form what there is to choose from in this programme."""
    towns = sorted(rules.active.municipalities, key=lambda each: each.name)
    filled.offer("municipality", {each.id: each.name for each in towns})
    filled.offer("slots", times_of(rules, frame, language))
    return filled


def times_of(rules: Programme, frame: Frame, language: str) -> dict[str, str]:
    """The weekly times of the programme in words, by id."""
    slots = sorted(rules.active.slots, key=lambda each: (each.isoweekday, each.at))
    pattern = N_("%(weekday)s at %(time)s")
    return {
        each.id: frame.text(
            language, pattern, weekday=dates.the_weekday(each.isoweekday, language), time=f"{each.at:%H:%M}"
        )
        for each in slots
    }


def answers(filled: Filled, frame: Frame, language: str) -> Iterator[tuple[str, Any]]:
    """Each question with its answer in words."""
    for name, field in filled.form.fields.items():
        value = filled.values[name]
        chosen = value if isinstance(value, list) else [value] if value else []
        options = filled.options.get(name, {})
        yield (
            field.label,
            "; ".join(frame.text(language, options[each]) if each in options else each for each in chosen),
        )
