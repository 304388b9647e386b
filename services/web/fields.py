"""What fields of a request are made of, and the tags by which an edit says what it has read.

Invariant: a body with an unknown field is refused, and no date is so far off that a calendar or an engine cannot hold it.
"""

from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from services.kernel import Refusal, Refused

EARLIEST, LATEST = date(1900, 1, 1), date(2200, 1, 1)


def _in_this_age(moment: datetime) -> datetime:
    if not EARLIEST.year <= moment.year <= LATEST.year:
        raise ValueError(f"not between {EARLIEST.year} and {LATEST.year}")
    return moment.astimezone(UTC)


Day = Annotated[date, Field(ge=EARLIEST, le=LATEST)]
Moment = Annotated[AwareDatetime, AfterValidator(_in_this_age)]


class Body(BaseModel):
    """A request's body: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


def etag(version: int) -> str:
    """The entity tag of an aggregate's version."""
    return f'"{version}"'


def version_of(tag: str) -> int:
    """The version that an If-Match names, also when a proxy that compresses has made the tag weak. Refused(412) when it is no
    tag of ours: then nothing matches."""
    digits = tag.strip().removeprefix("W/").strip('"')
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 12:
        raise Refused("changed-meanwhile", "If-Match names no version of this.", Refusal.STALE)
    return int(digits)
