"""Forms about one person: their fields, the models that check them, and the commands that they become.

Invariant: a day that is typed is a day of the programme. Of a past day the last minute counts, so that two steps of one day fit together.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Self

from pydantic import BaseModel, StringConstraints
from pydantic import Field as Limited

from enrolment import questions
from enrolment.facts import Contact, LostWork, Reach
from enrolment.people import wording
from services.contracts.base import Slug
from services.contracts.enrolment import Among, How, Leaving, Purpose, WorkerProfiled
from services.programmes import Programme
from services.web import BirthYear, Company, Day, Language
from services.web.frame import Frame, dates
from services.web.frame.form import Field, Filled, Form, Kind
from services.web.frame.texts import N_

LAST_MINUTE = time(23, 59)
WHEN = N_("Today if it is left empty. For example 27/3/2026.")
SEEN = Field("seen", N_("Version"), kind=Kind.HIDDEN)
INTERVIEW = Form(Field("day", N_("Day of the welcome interview"), kind=Kind.DAY, hint=WHEN, needed=False))
REFUSAL = Form(Field("day", N_("Day of the decision"), kind=Kind.DAY, hint=WHEN, needed=False))
EXIT = Form(
    Field(
        "reason",
        N_("Why the person leaves"),
        kind=Kind.RADIOS,
        options={each.value: text for each, text in wording.LEAVING.items()},
        why=N_("found work is a success, and the other reasons show what the programme can do better"),
    ),
    Field("day", N_("Day on which the person left"), kind=Kind.DAY, hint=WHEN, needed=False),
)
YES_OR_NO = {"yes": N_("Yes"), "no": N_("No, or not any more")}
FIELD_OF = {each: each.value.replace("-", "_") for each in Purpose}
CONSENTS = Form(
    *(
        Field(FIELD_OF[each], text, kind=Kind.RADIOS, options=YES_OR_NO, needed=False)
        for each, text in wording.PURPOSES.items()
    ),
    Field(
        "how",
        N_("How the person said so"),
        kind=Kind.RADIOS,
        options=wording.ON_BEHALF,
        why=N_("the consent has to be shown later, if somebody asks"),
    ),
    Field("day", N_("Day of the decision"), kind=Kind.DAY, hint=WHEN, needed=False),
    Field("notice", N_("Version of the privacy notice that the person read"), kind=Kind.SELECT),
    Field("language", N_("Language in which it was read"), kind=Kind.RADIOS),
)
CARD = Form(
    SEEN,
    Field("given_name", wording.CARD["given_name"], why=N_("to call the person by name")),
    Field("family_name", wording.CARD["family_name"], why=N_("to find the person again")),
    Field("email", wording.CARD["email"], kind=Kind.EMAIL, why=N_("to send messages about the meetings"), needed=False),
    Field(
        "phone",
        wording.CARD["phone"],
        kind=Kind.TELEPHONE,
        hint=N_("For example 333 123 4567."),
        why=N_("to call the person, or to send text messages"),
        needed=False,
    ),
    questions.NOT_BY,
    questions.CALL_AT,
    Field("language", wording.CARD["language"], kind=Kind.RADIOS, options=questions.LANGUAGES),
    questions.FISCAL_CODE,
)
PROFILE = Form(
    SEEN,
    Field(
        "municipality",
        N_("Municipality where the person lives"),
        kind=Kind.SELECT,
        why=N_("to find a group that is not far"),
    ),
    Field(
        "travel_km",
        N_("How far the person can travel, in kilometres"),
        kind=Kind.NUMBER,
        hint=N_("By road, one way."),
        why=N_("no group is proposed that is farther"),
    ),
    Field(
        "slots",
        N_("Times at which the person can come"),
        kind=Kind.CHECKBOXES,
        hint=N_("All that are possible: with more times a place is found earlier."),
        why=N_("a group meets always on the same day, at the same time"),
    ),
    questions.GENDER,
    questions.BIRTH_YEAR,
    questions.EMPLOYER,
    Field("among", N_("With whom the person wants to sit"), kind=Kind.RADIOS, options=wording.AMONG, needed=False),
    Field(
        "not_before",
        N_("Not before this day"),
        kind=Kind.DAY,
        hint=N_("Only if the person asks for a later start. For example 27/3/2026."),
        needed=False,
    ),
    Field(
        "needs_access",
        N_("The place has to be free of steps"),
        kind=Kind.CHECKBOX,
        hint=N_("The reason is not asked."),
        needed=False,
    ),
    *questions.LOST_WORK,
)


class Dated(BaseModel):
    """A step with its day; None is today."""

    day: Day | None = None


class Exit(Dated):
    """The end of somebody's part."""

    reason: Leaving


class Decision(Dated):
    """Decisions on consents that somebody records for a person. A purpose that is None stays as it is."""

    participation: bool | None = None
    contact: bool | None = None
    research: bool | None = None
    partner_feedback: bool | None = None
    how: How
    notice: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    language: Language

    @classmethod
    def of(cls, filled: Filled) -> Self | None:
        """Check the form; without any decision that is said at the first."""
        if not any(filled.values[name] for name in FIELD_OF.values()):
            filled.wrong(FIELD_OF[Purpose.PARTICIPATION], N_("Choose yes or no for at least one of the purposes."))
        return filled.checked(cls)

    @property
    def given(self) -> dict[Purpose, bool]:
        """The decisions that were made."""
        return {each: yes for each, name in FIELD_OF.items() if (yes := getattr(self, name)) is not None}


class Card(Contact):
    """Identity and contact of the person."""

    @classmethod
    def of(cls, filled: Filled) -> Self | None:
        """Check the form; what is wrong is told at its field."""
        body = filled.checked(cls)
        questions.leaves_a_way(filled)
        return None if filled.errors else body

    @staticmethod
    def before(card: Mapping[str, str]) -> dict[str, Any]:
        """A stored card as the form takes it: words with blanks between them are choices."""
        return {**card, **{name: card.get(name, "").split() for name in Reach.model_fields}}


class Profile(LostWork):
    """The facts that grouping matches on, and what is known of the lost work."""

    municipality: Slug
    travel_km: float = Limited(gt=0, le=500, allow_inf_nan=False)
    slots: list[Slug] = Limited(min_length=1, max_length=50)
    gender: Annotated[str, StringConstraints(pattern=r"^[fmx]$")] | None = None
    birth_year: BirthYear | None = None
    employer: Company | None = None
    among: Among | None = None
    not_before: Day | None = None
    needs_access: bool = False

    def profiled(self) -> WorkerProfiled:
        """The payload of the event that publishes this profile."""
        return WorkerProfiled.model_validate(self.model_dump())


def moment_of(day: date | None, rules: Programme) -> datetime | None:
    """The moment of a step on that day: now (None) for today, the last minute of another day."""
    if day is None or day == rules.day_of(datetime.now(UTC)):
        return None
    return datetime.combine(day, LAST_MINUTE, rules.zone)


def offered(filled: Filled, rules: Programme, frame: Frame, language: str) -> Filled:
    """Give the form what there is to choose from in this programme."""
    fields = filled.form.fields
    if "municipality" in fields:
        towns = sorted(rules.active.municipalities, key=lambda each: each.name)
        filled.offer("municipality", {each.id: each.name for each in towns})
        filled.offer("slots", slots_of(rules, frame, language))
    if "notice" in fields:
        notices = (rules.notice, *reversed(rules.notices))
        filled.offer("notice", {each.version: each.version for each in notices})
        read_in = {each for notice in notices for each in notice.languages}
        filled.offer("language", {each: text for each, text in questions.LANGUAGES.items() if each in read_in})
    return filled


def slots_of(rules: Programme, frame: Frame, language: str) -> dict[str, str]:
    """The weekly times of the programme in words, by id."""
    slots = sorted(rules.active.slots, key=lambda each: (each.isoweekday, each.at))
    return {each.id: slot_of(each, frame, language) for each in slots}


def slot_of(slot: Any, frame: Frame, language: str) -> str:
    """A weekly time in words."""
    weekday = dates.the_weekday(slot.isoweekday, language)
    return frame.text(language, N_("%(weekday)s at %(time)s"), weekday=weekday, time=f"{slot.at:%H:%M}")


def answers(filled: Filled, frame: Frame, language: str) -> Iterator[tuple[str, str]]:
    """Each question with its answer in words, as the page shows it that asks to check them."""
    for name, field in filled.form.fields.items():
        value = filled.values[name]
        if field.kind is Kind.HIDDEN:
            continue
        chosen = value if isinstance(value, list) else [value] if value else []
        # What somebody typed is no text of ours, and is not translated.
        options = {"yes": N_("Yes")} if field.kind is Kind.CHECKBOX else filled.options.get(name, {})
        yield (
            field.label,
            "; ".join(frame.text(language, options[each]) if each in options else each for each in chosen),
        )


def typed(**values: Any) -> dict[str, Any]:
    """Stored values as somebody would type them."""
    return {name: _typed(value) for name, value in values.items() if value not in (None, False)}


def _typed(value: Any) -> Any:
    if isinstance(value, date):
        return f"{value.day}/{value.month}/{value.year}"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return list(value)
    return "yes" if value is True else str(value)
