"""Types of request fields about a person's identity and lost work: tax code, employer, months since the loss.

Invariants: one company has one id, however its VAT number is written; a tax code is judged by its form and its check letter alone.
"""

import re
import unicodedata
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from stdnum.exceptions import InvalidChecksum, ValidationError
from stdnum.it import codicefiscale, iva

from services.contracts.base import Id

LONGEST_ID = 64
LEGAL_FORMS = frozenset(("spa", "srl", "srls", "snc", "sas", "sapa", "scarl", "scrl", "scpa", "coop", "soc", "societa"))
_NUMBER = re.compile(r"(?:p\.?\s*iva\s*:?\s*)?(?:it)?[\s.-]*((?:\d[\s./-]*){9,})", re.IGNORECASE)
_MONTH = re.compile(r"(1[0-2]|0?[1-9])\s*[/.-]\s*((?:19|20)\d\d)")


def fiscal_code(text: str) -> str:
    """Return a tax code in capitals. ValueError with what is wrong. A birthplace that has ended, or is younger than the person,
    is no fault."""
    code = re.sub(r"[\s.-]", "", text).upper()
    try:
        return str(codicefiscale.validate(code))
    except InvalidChecksum:
        fault = "the last letter does not fit the others: compare it with the card"
    except ValidationError:
        fault = "it has 16 letters and figures, as RSSMRA80A01F704F, or 11 figures"
    raise ValueError(f"no tax code (codice fiscale): {fault}")


def employer_of(text: str) -> str:
    """Return the id of a company: of its VAT number (partita IVA) when the text is one, else made of its name, without legal form, accents
    and blanks. ValueError for a VAT number with a wrong figure, and for a text without any letter."""
    found = _NUMBER.fullmatch(text.strip())
    if found is not None:
        digits = re.sub(r"\D", "", found[1])
        # A file that was opened as numbers has lost the zeros at the beginning.
        if not iva.is_valid(digits := digits.zfill(11)):
            raise ValueError("no VAT number (partita IVA): it has 11 figures, and the last one must fit the others")
        return f"it{digits}"
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().casefold().replace(".", "")
    words = [each for each in re.findall(r"[a-z0-9]+", plain) if each not in LEGAL_FORMS]
    if not words:
        raise ValueError("write the name of the company, or its VAT number (partita IVA)")
    return "-".join(words)[:LONGEST_ID].rstrip("-")


def _employer(value: object) -> object:
    return employer_of(value) if isinstance(value, str) and _NUMBER.fullmatch(value.strip()) else value


def months_since(year: int, month: int) -> int:
    """Return how many months ago that month was; 0 for one to come."""
    today = datetime.now(UTC)
    return max(0, (today.year - year) * 12 + today.month - month)


def _months_out(value: object) -> object:
    found = _MONTH.fullmatch(value.strip()) if isinstance(value, str) else None
    return value if found is None else months_since(int(found[2]), int(found[1]))


FiscalCode = Annotated[
    str,
    Field(
        min_length=1,
        max_length=40,
        description="codice fiscale, also one that was changed because two people had the same (omocodia)",
        examples=["RSSMRA80A01F704F"],
        json_schema_extra={"x-text": "tax code"},
    ),
    AfterValidator(fiscal_code),
]
Employer = Annotated[Id, BeforeValidator(_employer)]  # of a company; a VAT number in any spelling is one id
Company = Annotated[
    str, Field(min_length=1, max_length=200, json_schema_extra={"x-text": "company"}), AfterValidator(employer_of)
]  # the name of a company as people write it, or its VAT number: kept as its id
MonthsOut = Annotated[int, BeforeValidator(_months_out), Field(ge=0, le=720)]  # months, or the month as 3/2026
YearsInJob = Annotated[int, Field(ge=0, le=60)]
