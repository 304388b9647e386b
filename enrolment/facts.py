"""Facts about a person as requests and forms give them: identity, ways to reach them, and what is known of the lost work.

Invariants: every kind of request takes the same fields and checks them alike; no field is of any illness or disability. A contact card is
texts alone, since each is sealed by itself.
"""

from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from services.contracts.base import Id, Slug
from services.contracts.enrolment import Education, Employment, Heard, Occupation, Sector, WorkerProfiled
from services.web import Email, FiscalCode, Language, Line, MonthsOut, Once, Telephone, YearsInJob

NO_WAY = "no-way-left"


class Way(StrEnum):
    """A way to reach a person. The names of `mail` and `sms` are those of the channels of notifications."""

    MAIL = "mail"
    SMS = "sms"
    CALL = "call"


class CallTime(StrEnum):
    """A part of the working day at which a call is welcome: until 13, until 17, after 17."""

    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"


NEEDS = {Way.MAIL: "email", Way.SMS: "phone", Way.CALL: "phone"}  # the field of the card that a way needs


class Reach(BaseModel):
    """The person's wishes on how they are reached: ways that are not to be used, and times at which a call is welcome (none: any)."""

    not_by: Annotated[list[Way], Once] = Field(default=[], max_length=3, description="ways that are never used")
    call_at: Annotated[list[CallTime], Once] = Field(default=[], max_length=3, description="when a call is welcome")

    def words(self) -> dict[str, str]:
        """The wishes as a card has them: words with blanks between them. A field without any is left out."""
        return {name: _text(value) for name in Reach.model_fields if (value := getattr(self, name))}


class Contact(Reach):
    """Identity and contact of a person. At least one way to reach them stays open while there is an address."""

    given_name: Line
    family_name: Line
    email: Email | None = None
    phone: Telephone | None = None
    language: Language = Field(default="it", description="messages come in it or en; in it for any other")
    fiscal_code: FiscalCode | None = None

    @model_validator(mode="after")
    def _leaves_a_way(self) -> Self:
        ways = {way for way, field in NEEDS.items() if getattr(self, field) is not None}
        if ways and ways <= set(self.not_by):
            raise PydanticCustomError(NO_WAY, "at least one way to reach the person has to stay open", {"at": "not_by"})
        return self

    def filled(self) -> dict[str, str]:
        """The fields that have a text. A list is its words with blanks between them."""
        given = {name: value for name in Contact.model_fields if (value := getattr(self, name))}
        return {name: _text(value) for name, value in given.items()}


def _text(value: Any) -> str:
    return " ".join(value) if isinstance(value, list) else str(value)


class LostWork(BaseModel):
    """The known facts of the lost work and of the person's way to the programme: for the figures alone. None: not said."""

    employment: Employment | None = None
    sector: Sector | None = Field(default=None, description="section of ATECO 2025")
    occupation: Occupation | None = Field(default=None, description="major group of CP2021")
    months_out: MonthsOut | None = Field(
        default=None, description="since the work was lost: months, or the month as 3/2026"
    )
    years_in_job: YearsInJob | None = None
    education: Education | None = Field(default=None, description="ISCED 2011")
    heard: Heard | None = Field(default=None, description="how the person heard of the programme")


class Sketch(BaseModel):
    """The parts of a profile that a referrer may know; whoever welcomes the person asks for the rest."""

    municipality: Slug | None = None
    slots: tuple[Slug, ...] = ()
    gender: str | None = None
    birth_year: int | None = None
    employer: Id | None = None
    employment: Employment | None = None
    sector: Sector | None = None
    occupation: Occupation | None = None
    months_out: int | None = None
    years_in_job: int | None = None
    education: Education | None = None
    heard: Heard | None = None

    def profiled(self) -> WorkerProfiled | None:
        """The profile, once it can be matched on: it says where the person lives and when they can come."""
        if self.municipality is None or not self.slots:
            return None
        return WorkerProfiled(travel_km=15.0, **dict(self))

    def __bool__(self) -> bool:
        return any(value not in (None, ()) for value in dict(self).values())


WORK_FIELDS = tuple(LostWork.model_fields)
