"""Forms of the steps of a person's way: contact, booking, interview, refusal, return, and corrections with their reason.

Invariant: the form of the interview is one page, and asks nothing that the forms of its parts do not ask.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Annotated, Generic, Self, TypeVar

from pydantic import BaseModel, StringConstraints

from enrolment.people import wording
from enrolment.people.commands import Result
from enrolment.people.forms import CARD, CONSENTS, FIELD_OF, PROFILE, SEEN, WHEN, Dated, Profile
from services.contracts.base import Slug
from services.contracts.enrolment import Contacting, Declining, How, Purpose, Step, WorkerProfiled
from services.programmes import Programme
from services.web import Day, Language, Note
from services.web.frame import Frame
from services.web.frame.form import Field, Filled, Form, Kind
from services.web.frame.texts import N_

B = TypeVar("B", bound=BaseModel)
WHY = Field(
    "why",
    N_("Why it is corrected"),
    hint=N_("In a few words. It stays in the history."),
    why=N_("whoever reads the history has to understand the change"),
    longest=500,
)
CONTACT = Form(
    Field("how", N_("How the person was contacted"), kind=Kind.RADIOS, options=wording.CONTACTING),
    Field("reached", N_("Did the person answer?"), kind=Kind.RADIOS, options=wording.REACHED),
    Field("day", N_("Day of the contact"), kind=Kind.DAY, hint=WHEN, needed=False),
)
BOOKING = Form(
    Field("date", N_("Day of the welcome interview"), kind=Kind.DAY, hint=N_("For example 27/3/2026.")),
    Field("hour", N_("Time"), kind=Kind.TIME, hint=N_("For example 10:30.")),
    Field("place", N_("Where"), kind=Kind.SELECT, why=N_("to tell the person where to come"), needed=False),
)
REFUSAL = Form(
    Field(
        "reason",
        N_("Why the person does not take part"),
        kind=Kind.RADIOS,
        options=wording.DECLINING,
        why=N_("it counts in the figures alone, and shows what the programme can do better"),
    ),
    Field("day", N_("Day of the decision"), kind=Kind.DAY, hint=WHEN, needed=False),
)
RESULTS = {
    Result.ADMITTED.value: N_("The person is admitted"),
    Result.DECLINED.value: N_("The person does not take part"),
    Result.LATER.value: N_("It is decided another day"),
}
WHOLE_INTERVIEW = Form(
    SEEN,
    Field("day", N_("Day of the welcome interview"), kind=Kind.DAY, hint=WHEN, needed=False),
    *(each for name, each in CONSENTS.fields.items() if name != "day"),
    *(each for name, each in PROFILE.fields.items() if name != SEEN.name),
    Field("result", N_("Result of the interview"), kind=Kind.RADIOS, options=RESULTS),
    Field(
        "declining",
        N_("Why the person does not take part"),
        kind=Kind.RADIOS,
        options=wording.DECLINING,
        hint=N_("Only if that is the result."),
        needed=False,
    ),
)
RETURN = Form(Field("day", N_("Day on which the person came back"), kind=Kind.DAY, hint=WHEN, needed=False))
REDATING = Form(
    Field(
        "step", N_("Which step"), kind=Kind.RADIOS, options={each.value: text for each, text in wording.STEPS.items()}
    ),
    Field("day", N_("Right day"), kind=Kind.DAY, hint=N_("For example 27/3/2026.")),
    WHY,
)
CORRECTED_CARD = Form(*CARD.fields.values(), WHY)
CORRECTED_PROFILE = Form(
    *PROFILE.fields.values(),
    Field("why", WHY.label, hint=N_("If a profile is corrected. It stays in the history."), needed=False, longest=500),
)


class Contact(Dated):
    """A try to reach somebody."""

    how: Contacting
    reached: Annotated[str, StringConstraints(pattern="^(yes|no)$")]


class Booking(BaseModel):
    """The time of an interview, in the programme's zone."""

    date: Day
    hour: time
    place: Slug | None = None

    def when(self, rules: Programme) -> datetime:
        """The moment of the interview."""
        return datetime.combine(self.date, self.hour, rules.zone)


class Refusal(Dated):
    """The end of somebody's way before the admission."""

    reason: Declining


class Redating(BaseModel):
    """The right day of a step."""

    step: Step
    day: Day
    why: Note


class _PerhapsWhy(BaseModel):
    why: Note | None = None


class _Why(_PerhapsWhy):
    why: Note


@dataclass(frozen=True, slots=True)
class Corrected(Generic[B]):
    """The new data, and the reason."""

    body: B
    why: str | None


def with_reason(filled: Filled, check: Callable[[Filled], B | None], *, needed: bool = True) -> Corrected[B] | None:
    """Check the form, and the reason beside it."""
    reason: _PerhapsWhy | None = filled.checked(_Why if needed else _PerhapsWhy)
    body = check(filled)
    return Corrected(body, reason.why) if body is not None and reason is not None else None


class _Result(BaseModel):
    day: Day | None = None
    result: Result
    declining: Declining | None = None
    how: How | None = None
    notice: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    language: Language
    participation: bool | None = None
    contact: bool | None = None
    research: bool | None = None
    partner_feedback: bool | None = None


@dataclass(frozen=True, slots=True)
class Interview:
    """A welcome interview as a whole. `profile`: None when nothing of it was written."""

    day: date | None
    result: Result
    declining: Declining | None
    profile: WorkerProfiled | None
    given: dict[Purpose, bool]
    notice: str
    language: str
    how: How | None

    @classmethod
    def of(cls, filled: Filled) -> Self | None:
        """Check the form. The profile is asked whole or not at all; a decision on a consent needs how it was given."""
        profile = filled.checked(Profile) if filled.values["municipality"] or filled.values["slots"] else None
        if any(filled.values[name] for name in FIELD_OF.values()) and not filled.values["how"]:
            filled.wrong("how", N_("Choose an answer: %(label)s"))
        if filled.values["result"] == Result.DECLINED and not filled.values["declining"]:
            filled.wrong("declining", N_("Choose an answer: %(label)s"))
        body = filled.checked(_Result)
        if body is None:
            return None
        given = {each: yes for each, name in FIELD_OF.items() if (yes := getattr(body, name)) is not None}
        profiled = profile.profiled() if profile is not None else None
        return cls(
            body.day,
            body.result,
            body.declining,
            profiled,
            given,
            body.notice,
            body.language,
            body.how if given else None,
        )


def offered(filled: Filled, rules: Programme, frame: Frame, language: str) -> Filled:
    """Give the form the places of an interview: the office of the programme, and the desks of its partners."""
    if "place" in filled.form.fields:
        office = rules.office
        first = office.name if office is not None else frame.text(language, N_("The office of the programme"))
        desks = sorted(rules.active.partners, key=lambda each: each.name)
        named = {each.id: each.name for each in desks if each.may_refer and each.name != first}
        filled.offer("place", {"": first, **named})
    return filled
