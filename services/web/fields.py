"""Types of request fields, and entity tags, by which an edit names the version that it read.

Invariants: a body with an unknown field is refused. A text that passes is one that a message, a calendar, a page and an engine show as it
was meant. Every date is in a range that calendars and engines can hold. Routes take text by these types alone (or by an id, a code or an
enum); `tests/web/test_fields.py` asks for it.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, TypeVar

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema

from services.kernel import ENCODED_WORD, Refusal, Refused, line, shown_as_meant

T = TypeVar("T")
# Python and MongoDB hold more; calendars of mail programs, which get these dates, do not.
EARLIEST, LATEST = date(1900, 1, 1), date(2200, 1, 1)
REGION = "IT"  # of a telephone number without its country
YOUNGEST = 14  # years; nobody younger may work, so nobody younger has lost their work


def _note(text: str) -> str:
    return shown_as_meant(text.replace("\r\n", "\n"), breaks="\n\t").strip()


def _address(text: str) -> str:
    try:
        # Not every server takes other characters before the @ (RFC 6531); a domain is stored in the form that every server takes.
        found = validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError as error:
        raise ValueError(f"no mail can be sent to this address. {error}") from None
    # As in a line. The mailer gives such an address up, so the person would never get a mail.
    if ENCODED_WORD in text:
        raise ValueError(
            "no mail can be sent to this address. It holds '=?', with which an encoded word of a mail begins."
        )
    return str(found.ascii_email)


def _telephone(text: str) -> str:
    try:
        number = phonenumbers.parse(text, REGION)
    except phonenumbers.NumberParseException:
        number = None
    # Words would be read as digits (800-FLOWERS), and an extension would be lost.
    wordy = any(each.isalpha() for each in text)
    if number is None or number.extension or wordy or not phonenumbers.is_possible_number(number):
        raise ValueError("write one telephone number, as 333 123 4567, or with its country, as +41 79 123 45 67")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _language(code: str) -> str:
    if code not in LANGUAGES:
        raise ValueError("no language of ISO 639-1, such as it, en or ar")
    return code


def _born(year: int) -> int:
    latest = datetime.now(UTC).year - YOUNGEST
    if not EARLIEST.year <= year <= latest:
        raise ValueError(f"not between {EARLIEST.year} and {latest}")
    return year


def _in_this_age(moment: datetime) -> datetime:
    if not EARLIEST.year <= moment.year <= LATEST.year:
        raise ValueError(f"not between {EARLIEST.year} and {LATEST.year}")
    return moment.astimezone(UTC)


def _each_once(values: Sequence[T]) -> Sequence[T]:
    for at, value in enumerate(values):
        if value in values[:at]:
            raise ValueError(f"{value} stands there twice")
    return values


# `x-text` in the schema of a field says that one of these types checks it.
Line = Annotated[
    str, Field(min_length=1, max_length=200, json_schema_extra={"x-text": "line"}), AfterValidator(line)
]  # a name, a title, a street
Note = Annotated[
    str, Field(min_length=1, max_length=500, json_schema_extra={"x-text": "note"}), AfterValidator(_note)
]  # free text with line breaks
Email = Annotated[
    str,
    Field(max_length=320),
    AfterValidator(_address),
    WithJsonSchema({"type": "string", "format": "email", "maxLength": 320, "examples": ["ada@example.org"]}),
]
Telephone = Annotated[
    str,
    Field(
        min_length=1,
        max_length=60,
        description="as people write it; Italian without a country",
        examples=["+39 333 123 4567"],
        json_schema_extra={"x-text": "telephone"},
    ),
    AfterValidator(_telephone),
]
BirthYear = Annotated[int, Field(ge=EARLIEST.year), AfterValidator(_born)]
LANGUAGES = (  # noqa: SIM905  # a list would take 183 lines
    "aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en "
    "eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja "
    "jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb "
    "nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq "
    "sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu "
).split()  # every code of ISO 639-1
Language = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z]{2}$"),
    AfterValidator(_language),
    WithJsonSchema({"type": "string", "enum": LANGUAGES}),
]
Day = Annotated[date, Field(ge=EARLIEST, le=LATEST)]
Moment = Annotated[AwareDatetime, AfterValidator(_in_this_age)]
Once = AfterValidator(_each_once)  # of a list: nothing stands there twice


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
