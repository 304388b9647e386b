"""Columns of a list: which column holds what, by the words of its heading in Italian or English.

Invariant: a list without headings is refused, and so is one in which two columns claim the same; nothing is guessed from the content.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from enrolment.lists.archive import Unreadable
from enrolment.lists.reading import Table

SEARCHED = 20  # rows in which the headings are looked for
# By field: the headings, folded. The first is that of the template in Italian, the second that in English.
HEADINGS: dict[str, tuple[str, ...]] = {
    "family_name": ("cognome", "family name", "surname", "last name", "cognome dipendente"),
    "given_name": ("nome", "given name", "first name", "name", "nome dipendente"),
    "full_name": ("cognome e nome", "full name", "nominativo", "cognome nome", "dipendente", "lavoratore"),
    "fiscal_code": ("codice fiscale", "tax code", "cf", "cod fiscale", "cod fisc", "fiscal code"),
    "email": ("e mail", "email address", "email", "mail", "posta elettronica", "indirizzo e mail", "indirizzo email", "pec"),
    "phone": ("telefono", "telephone", "cellulare", "cell", "tel", "phone", "mobile", "recapito telefonico", "numero di telefono",
              "telefono cellulare", "numero di cellulare", "phone number"),
    "municipality": ("comune", "municipality", "comune di residenza", "residenza", "citta", "town", "city", "comune residenza"),
    "birth": ("data di nascita", "date of birth", "nato il", "nata il", "birth date", "birthdate", "data nascita",
              "nato a il", "data di nasc"),
    "birth_year": ("anno di nascita", "year of birth", "birth year", "anno nascita"),
    "gender": ("genere", "gender", "sesso", "sex"),
    "language": ("lingua", "language"),
    "employer": ("azienda", "company", "ditta", "datore di lavoro", "employer", "partita iva", "ragione sociale", "p iva", "vat number"),
    "employment": ("situazione lavorativa", "employment", "situazione", "stato occupazionale"),
    "lost": ("data di cessazione", "date of dismissal", "data licenziamento", "data di licenziamento", "cessazione", "end date",
             "data fine rapporto"),
    "years_in_job": ("anni di lavoro", "years in job", "anzianita", "anzianita di servizio"),
}  # fmt: skip
SEVERAL = frozenset({"phone", "email"})  # of these the first that is filled in counts
_FIELD = {heading: field for field, headings in HEADINGS.items() for heading in headings}


def folded(text: Any) -> str:
    """A text as headings and names are compared: small, without accents and punctuation."""
    plain = unicodedata.normalize("NFKD", str(text)).encode("ascii", "ignore").decode().casefold()
    return " ".join(re.findall(r"[a-z0-9]+", plain))


@dataclass(frozen=True, slots=True)
class Columns:
    """The column of each field, and the heading as the file has it. `after`: rows of the table before the first person. `ignored`:
    headings that nothing is taken from."""

    at: dict[str, list[int]]
    headings: dict[str, str]
    after: int
    ignored: list[str]


def columns_of(table: Table) -> Columns:
    """Find the headings, under titles, on one row or on two. Raises Unreadable: no-headings, twice."""
    rows = [row for _, row in table.rows[:SEARCHED]]
    best = max(_candidates(rows), key=lambda each: (len(set(each[1].values())), -each[2]), default=None)
    if best is None or not _names_people(set(best[1].values())):
        raise Unreadable("no-headings")
    texts, fields, after = best
    at: dict[str, list[int]] = {}
    for column, field in fields.items():
        at.setdefault(field, []).append(column)
    for field, columns in at.items():
        if len(columns) > 1 and field not in SEVERAL:
            raise Unreadable("twice", heading=texts[columns[1]])
    ignored = [text for column, text in enumerate(texts) if text and column not in fields]
    return Columns(at, {field: texts[columns[0]] for field, columns in at.items()}, after, ignored)


def _candidates(rows: Sequence[Sequence[Any]]) -> Iterator[tuple[list[str], dict[int, str], int]]:
    """Each row, and each pair of rows, as headings: the texts, the field of each column, and how many rows they end."""
    for number, row in enumerate(rows):
        texts = [_text(cell) for cell in row]
        yield texts, _fields(texts), number + 1
        if number + 1 < len(rows):
            below = [_text(cell) for cell in rows[number + 1]]
            wide = max(len(texts), len(below))
            over, under = ([*each, *[""] * (wide - len(each))] for each in (texts, below))
            joined = [f"{a} {b}".strip() for a, b in zip(over, under, strict=True)]
            # Of a pair the whole counts, else the lower heading, else the upper one, which may stand over both rows.
            named = [
                next((text for text in some if folded(text) in _FIELD), some[0])
                for some in zip(joined, under, over, strict=True)
            ]
            yield named, _fields(named), number + 2


def _text(cell: Any) -> str:
    return " ".join(str(cell).split()) if cell is not None else ""


def _fields(texts: Sequence[str]) -> dict[int, str]:
    return {column: _FIELD[name] for column, text in enumerate(texts) if (name := folded(text)) in _FIELD}


def _names_people(fields: set[str]) -> bool:
    return "full_name" in fields or {"family_name", "given_name"} <= fields
