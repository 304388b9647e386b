"""Types of request fields, and entity tags, by which an edit names the version that it read.

Invariant: a body with an unknown field is refused, and every date is in a range that calendars and engines can hold.
"""

from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from services.kernel import Refusal, Refused

# Python and MongoDB hold more; calendars of mail programs, which get these dates, do not.
EARLIEST, LATEST = date(1900, 1, 1), date(2200, 1, 1)


def _in_this_age(moment: datetime) -> datetime:
    if not EARLIEST.year <= moment.year <= LATEST.year:
        raise ValueError(f"not between {EARLIEST.year} and {LATEST.year}")
    return moment.astimezone(UTC)


Day = Annotated[date, Field(ge=EARLIEST, le=LATEST)]
Moment = Annotated[AwareDatetime, AfterValidator(_in_this_age)]


class Body(BaseModel):
    """Base class of request bodies; an unknown field is refused."""

    # A field that is misspelt must not be dropped in silence, and NaN compares with nothing, so no rule would hold.
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


def etag(version: int) -> str:
    """Format an aggregate's version as an entity tag."""
    return f'"{version}"'


def version_of(tag: str) -> int:
    """Parse the version of an If-Match, also of a weak tag, which a compressing proxy makes. Refused as stale when the tag is not
    ours, since then nothing matches."""
    digits = tag.strip().removeprefix("W/").strip('"')
    # At most 12 digits: the time of int() grows with the square of the length, which the caller chooses.
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 12:
        raise Refused("changed-meanwhile", "If-Match names no version of this.", Refusal.STALE)
    return int(digits)
