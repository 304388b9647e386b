"""Words of situations after the programme, the sentences of refusals, and the forms."""

from datetime import date

from pydantic import BaseModel

from services.contracts.paths import OutcomeMoment, Situation
from services.web import Day
from services.web.frame import Field, Form, Frame, Kind
from services.web.frame.texts import N_

SENTENCES = {
    "no-such-worker": N_("There is no person with this code in the programme."),
    "erased": N_("The data of this person were deleted, at their request."),
    "never-admitted": N_("This person has not taken part in the programme: nothing is asked."),
    "out-of-order": N_(
        "The days do not fit: at the exit, up to 28 days after it; six months after, not before five months; never in the future."
    ),
    "same-outcome": N_("This is recorded already."),
    "unavailable": N_(
        "The service does not answer at this moment. Everything that was written is still here: try again shortly."
    ),
}
AT = {"out-of-order": "day"}
FRAME = Frame("enrolment.outcomes", refusals=SENTENCES)
MOMENTS = {OutcomeMoment.EXIT: N_("On leaving the programme"), OutcomeMoment.SIX_MONTHS: N_("Six months after")}
SLUGS = {"uscita": OutcomeMoment.EXIT, "sei-mesi": OutcomeMoment.SIX_MONTHS}  # in addresses
OF = {moment: slug for slug, moment in SLUGS.items()}
SITUATIONS: dict[str, str] = {
    Situation.EMPLOYED: N_("Works as an employee"),
    Situation.SELF_EMPLOYED: N_("Works for themselves"),
    Situation.TRAINING: N_("In education or training"),
    Situation.SEARCHING: N_("Looks for work"),
    Situation.INACTIVE: N_("Does not look for work at the moment"),
    Situation.UNKNOWN: N_("Did not say, or was not reached"),
}
OWN: dict[str, str] = {
    Situation.EMPLOYED: N_("I work as an employee"),
    Situation.SELF_EMPLOYED: N_("I work for myself"),
    Situation.TRAINING: N_("I am in education or training"),
    Situation.SEARCHING: N_("I look for work"),
    Situation.INACTIVE: N_("I do not look for work at the moment"),
    Situation.UNKNOWN: N_("I prefer not to say"),
}
DAY = N_("For example 27/3/2026.")
RECORD = Form(
    Field("left", N_("Day on which the person left, or their group ended"), Kind.DAY, hint=DAY),
    Field(
        "situation",
        N_("Situation"),
        Kind.RADIOS,
        options=SITUATIONS,
        why=N_("the programme has to show what became of people, in numbers and never by name"),
    ),
    Field("day", N_("Day on which this was so"), Kind.DAY, hint=DAY),
)
TELL = Form(
    Field(
        "situation",
        N_("How are things today?"),
        Kind.RADIOS,
        options=OWN,
        why=N_("to understand in numbers if the programme helps; your name is not in the numbers"),
    )
)


class Recorded(BaseModel):
    """Answers of an operator's form."""

    left: Day
    situation: Situation
    day: Day


class Said(BaseModel):
    """The answer of the person."""

    situation: Situation


def typed(day: date | None) -> str:
    """A day as somebody would type it; empty for none."""
    return f"{day.day}/{day.month}/{day.year}" if day is not None else ""
