"""Facts about a person as requests and forms give them: identity, ways to reach them, and what is known of the lost work.

Invariants: every kind of request takes the same fields and checks them alike; no field is of any illness or disability. A contact card is
texts alone, since each is sealed by itself.
"""

from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from services.contracts.enrolment import Education, Employment, Heard, Occupation, Sector
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
    """How a person wants to be reached: ways that are not to be used, and times at which a call is welcome (none: any)."""

    not_by: Annotated[list[Way], Once] = Field(default=[], max_length=3, description="ways that are never used")
    call_at: Annotated[list[CallTime], Once] = Field(default=[], max_length=3, description="when a call is welcome")


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
    """What is known of the lost work and of the person's way to the programme: for the figures alone. None: not said."""

    employment: Employment | None = None
    sector: Sector | None = Field(default=None, description="section of ATECO 2025")
    occupation: Occupation | None = Field(default=None, description="major group of CP2021")
    months_out: MonthsOut | None = Field(
        default=None, description="since the work was lost: months, or the month as 3/2026"
    )
    years_in_job: YearsInJob | None = None
    education: Education | None = Field(default=None, description="ISCED 2011")
    heard: Heard | None = Field(default=None, description="how the person heard of the programme")


WORK_FIELDS = tuple(LostWork.model_fields)
