"""Rows of a list, judged: who is on it, and every mistake with its row and column.

Invariants: a person is judged by the same models as in a form; every mistake of a row is told at once. A person who stands there twice is
taken once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

from pydantic import BaseModel, ValidationError

from enrolment.facts import Contact, LostWork, Sketch
from enrolment.lists import cells
from enrolment.lists.cells import WrongCell
from enrolment.lists.columns import Columns, folded
from enrolment.lists.reading import Table
from services.contracts.base import Slug
from services.programmes import Programme
from services.web import BirthYear, Company
from services.web.person_fields import months_since

PARTICLES = frozenset(("de", "di", "del", "della", "dello", "da", "dal", "lo", "la", "el", "van", "von"))


class Listed(BaseModel):
    """A person of a list. `key`: what makes them the same person when the list comes again: the tax code, else name and
    birth or contact."""

    number: int
    key: str
    card: dict[str, str]
    sketch: Sketch = Sketch()


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake: the row, the heading of the column as the file has it, the code of the sentence, and the value that stands there."""

    row: int
    column: str
    code: str
    value: str = ""


@dataclass
class Judged:
    """A whole list: the people who could be taken, the mistakes, and the rows that repeat an earlier one (row, row of the first)."""

    people: list[Listed] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    repeated: list[tuple[int, int]] = field(default_factory=list)

    @property
    def wrong_rows(self) -> int:
        """The number of rows with a mistake."""
        return len({each.row for each in self.mistakes})


class _Person(Contact, LostWork):
    """A row, checked as a form would be."""

    municipality: Slug | None = None
    birth_year: BirthYear | None = None
    gender: str | None = None
    employer: Company | None = None


def judge(table: Table, columns: Columns, rules: Programme) -> Judged:
    """Judge every row below the headings."""
    judged, first = Judged(), dict[str, int]()
    for number, cells_of_row in table.rows[columns.after :]:
        person = _row(number, cells_of_row, columns, rules, judged.mistakes)
        if person is None:
            continue
        if person.key in first:
            judged.repeated.append((number, first[person.key]))
        else:
            first[person.key] = number
            judged.people.append(person)
    return judged


def _row(number: int, row: Sequence[Any], columns: Columns, rules: Programme, mistakes: list[Mistake]) -> Listed | None:
    given, before = _Given(number, row, columns, mistakes), len(mistakes)
    values: dict[str, Any] = {
        name: given.value(name, cells.text_of) for name in ("family_name", "given_name", "fiscal_code", "email")
    }
    values |= dict(zip(("family_name", "given_name"), _names(given), strict=True)) if "full_name" in columns.at else {}
    values |= {
        "phone": given.value("phone", cells.phone_of),
        "municipality": given.value("municipality", partial(cells.town_of, rules=rules)),
        "gender": given.value("gender", partial(cells.chosen, words=cells.GENDERS, code="no-gender")),
        "language": given.value("language", partial(cells.chosen, words=cells.LANGUAGES, code="no-language")),
        "employer": given.value("employer", cells.text_of),
        "employment": given.value("employment", partial(cells.chosen, words=cells.EMPLOYMENTS, code="no-employment")),
        "years_in_job": given.value("years_in_job", cells.text_of),
    }
    birth: date | None = given.value("birth", cells.day_of)
    values["birth_year"] = birth.year if birth else given.value("birth_year", cells.text_of)
    lost: date | None = given.value("lost", cells.day_of)
    values["months_out"] = months_since(lost.year, lost.month) if lost else None
    # A cell that is wrong is told by itself, and nothing follows from it.
    if len(mistakes) == before and not values["email"] and not values["phone"]:
        given.wrong("phone" if "phone" in columns.at else "email", "no-way")
    person = given.checked(values)
    if person is None or len(mistakes) > before:
        return None
    sketch = Sketch.model_validate(
        {name: getattr(person, name, None) for name in Sketch.model_fields if name != "slots"}
    )
    return Listed(number=number, key=_key(person, birth), card=person.filled(), sketch=sketch)


def _names(given: "_Given") -> tuple[str | None, str | None]:
    """Family and given name of one cell: parted by a comma, or two words after a particle. More words have no one reading."""
    text = given.value("full_name", cells.text_of) or ""
    family, comma, name = (each.strip() for each in text.partition(","))
    if comma:
        return family, name
    words = text.split()
    start = 1 if words and folded(words[0]) in PARTICLES else 0
    if len(words) == start + 2:
        return " ".join(words[: start + 1]), words[-1]
    if text:
        given.wrong("full_name", "names", text)
    return ("?", "?") if text else (None, None)


def _key(person: _Person, birth: date | None) -> str:
    if person.fiscal_code:
        return f"cf {person.fiscal_code}"
    name = f"{folded(person.family_name)} {folded(person.given_name)}"
    return f"{name} {birth or person.phone or person.email}"


class _Given:
    """The cells of one row by field, with the mistakes that are found in them."""

    def __init__(self, number: int, row: Sequence[Any], columns: Columns, mistakes: list[Mistake]) -> None:
        self._number, self._row, self._columns, self._mistakes = number, row, columns, mistakes
        self._wrong: set[str] = set()

    def value(self, name: str, read: Any) -> Any:
        """The first cell of this field that is filled in, read; None without one, or when it is wrong."""
        for cell in self._cells(name):
            if cell in ("", None) or not str(cell).strip():
                continue
            try:
                return read(cell) or None
            except WrongCell as wrong:
                self.wrong(name, wrong.code, str(cell))
                return None
        return None

    def _cells(self, name: str) -> Iterable[Any]:
        return (self._row[at] for at in self._columns.at.get(name, ()) if at < len(self._row))

    def wrong(self, name: str, code: str, value: str = "") -> None:
        """Note a mistake, one for each field."""
        if name not in self._wrong:
            self._wrong.add(name)
            self._mistakes.append(Mistake(self._number, self._columns.headings.get(name, ""), code, value[:60]))

    def checked(self, values: dict[str, Any]) -> _Person | None:
        """Check the row by the model; a mistake is told at its column."""
        try:
            return _Person.model_validate({name: value for name, value in values.items() if value is not None})
        except ValidationError as error:
            for each in error.errors(include_url=False, include_context=False):
                name = str(each["loc"][0]) if each["loc"] else ""
                field = {"birth_year": "birth"}.get(name, name) if name not in self._columns.at else name
                if "full_name" in self._columns.at and name in {"family_name", "given_name"}:
                    field = "full_name"
                missing = each["type"] == "missing"
                self.wrong(
                    field, "missing" if missing else f"wrong-{name}", "" if missing else str(values.get(name, ""))
                )
            return None
