"""Fields of a person's identity and lost work: tax codes with omocodia, one id for a company, months since the loss."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from services.web import Company, Employer, FiscalCode, MonthsOut

CODE, COMPANY, EMPLOYER = TypeAdapter[str](FiscalCode), TypeAdapter[str](Company), TypeAdapter[str](Employer)
MONTHS = TypeAdapter[int](MonthsOut)
VAT = "00743110157"


@pytest.mark.parametrize("code", ["RSSMRA80A01F704F", "RSSMRA80A01F70QC", "RSSMRA80A01F7L4Q", "MRTMTT25D09F205Z", VAT])
def test_a_tax_code_is_valid_also_after_it_was_changed_because_two_had_the_same(code: str) -> None:
    assert CODE.validate_python(code) == code


def test_a_tax_code_is_kept_in_capitals_however_it_was_written() -> None:
    assert CODE.validate_python(" rss mra 80a01 f704f ") == "RSSMRA80A01F704F"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("RSSMRA80A01F704A", "the last letter does not fit"),
        ("RSSMRA80A01F704", "16 letters and figures"),
        ("pippo", "16 letters and figures"),
        ("RSSMRÀ80A01F704F", "16 letters and figures"),
    ],
)
def test_a_tax_code_that_is_none_is_refused_with_a_sentence(code: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        CODE.validate_python(code)


@pytest.mark.parametrize("text", [VAT, f"IT{VAT}", f"it {VAT}", "P.IVA 00743110157", "007 431 101 57", "743110157"])
def test_one_vat_number_is_one_employer_however_it_is_written(text: str) -> None:
    assert COMPANY.validate_python(text) == f"it{VAT}"


def test_the_api_takes_a_vat_number_as_the_forms_do_and_leaves_other_ids_as_they_are() -> None:
    assert [EMPLOYER.validate_python(each) for each in (f"IT {VAT}", VAT, "candy-brugherio", "E1")] == [
        f"it{VAT}",
        f"it{VAT}",
        "candy-brugherio",
        "E1",
    ]


@pytest.mark.parametrize(
    "text", ["Candy Brugherio S.p.A.", "CANDY  BRUGHERIO SPA", "candy-brugherio", "Càndy Brugherio"]
)
def test_one_name_is_one_employer_with_or_without_its_legal_form(text: str) -> None:
    assert COMPANY.validate_python(text) == "candy-brugherio"


@pytest.mark.parametrize("text", ["00743110158", "spa", "???", ""])
def test_an_employer_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        COMPANY.validate_python(text)


@pytest.mark.parametrize(("value", "months"), [("7", 7), (0, 0), ("12", 12)])
def test_months_are_taken_as_a_number(value: Any, months: int) -> None:
    assert MONTHS.validate_python(value) == months


def test_the_month_of_the_loss_is_counted_up_to_today_and_one_to_come_is_none() -> None:
    today = datetime.now(UTC)
    assert MONTHS.validate_python(f"{today.month}/{today.year - 2}") == 24
    assert MONTHS.validate_python(f"01/{today.year + 1}") == 0


@pytest.mark.parametrize("value", ["13/2026", "-1", "March", "721"])
def test_months_that_are_none_are_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        MONTHS.validate_python(value)
