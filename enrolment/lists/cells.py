"""Cells of a list as people and spreadsheet programs write them: days, telephone numbers without their zero, names of towns.

Invariant: a value that has two meanings, or none, is a mistake of its own row and column, and never a guess.
"""

import re
from datetime import date, datetime, timedelta
from typing import Any

import phonenumbers

from enrolment.lists.columns import folded
from services.programmes import Programme

_DAY = re.compile(r"(\d{1,2})\s*[/.\- ]\s*(\d{1,2})\s*[/.\- ]\s*(\d{4})")
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ].*)?")
EPOCH = date(1899, 12, 30)  # day 0 of a spreadsheet, for days from March 1900 on
SERIAL = range(3_654, 60_000)  # numbers that are days: 1910 to 2064
GENDERS = {
    **dict.fromkeys(("f", "femmina", "donna", "female", "woman"), "f"),
    **dict.fromkeys(("m", "maschio", "uomo", "male", "man"), "m"),
    **dict.fromkeys(("x", "altro", "other"), "x"),
}
LANGUAGES = {"italiano": "it", "italian": "it", "inglese": "en", "english": "en"}
EMPLOYMENTS = {
    **dict.fromkeys(("licenziato", "licenziata", "licenziamento", "dismissed"), "dismissed"),
    **dict.fromkeys(("licenziamento collettivo", "collective dismissal", "mobilita"), "collective-dismissal"),
    **dict.fromkeys(("cig", "cigs", "cassa integrazione", "in cassa integrazione"), "cig"),
    **dict.fromkeys(("contratto scaduto", "fine contratto", "fixed term ended"), "fixed-term-ended"),
    **dict.fromkeys(("a rischio", "in esubero", "about to lose", "esubero"), "about-to-lose"),
}


class WrongCell(Exception):
    """A cell that cannot be taken. `code`: which sentence tells why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def text_of(cell: Any) -> str:
    """A cell as text: a number without the point that a spreadsheet adds, a day as ISO writes it. WrongCell for a formula."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    text = str(cell).strip().lstrip("'")
    if text.startswith("=") or text in {"#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!"}:
        raise WrongCell("formula")
    return " ".join(text.split())


def day_of(cell: Any) -> date:
    """A day: a cell of that kind, a text, or the number by which a spreadsheet counts days. WrongCell("no-day")."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = text_of(cell)
    try:
        if found := _ISO.fullmatch(text):
            return date(int(found[1]), int(found[2]), int(found[3]))
        if found := _DAY.fullmatch(text):
            return date(int(found[3]), int(found[2]), int(found[1]))
    except ValueError:
        raise WrongCell("no-day") from None
    if text.isdecimal() and len(text) <= len(str(SERIAL.stop)) and int(text) in SERIAL:
        return EPOCH + timedelta(days=int(text))
    raise WrongCell("no-day")


def phone_of(cell: Any) -> str:
    """A telephone number; the zero that a number lost in a spreadsheet is put back when only that makes it one."""
    text = text_of(cell)
    if not text or text.startswith(("+", "0")) or _is_number(text):
        return text
    return f"0{text}" if _is_number(f"0{text}") else text


def _is_number(text: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text, "IT"))
    except phonenumbers.NumberParseException:
        return False


def town_of(cell: Any, rules: Programme) -> str:
    """The id of a municipality of the programme, by name or id, with its province or without. WrongCell("no-town")."""
    wanted = folded(re.sub(r"\(.*?\)", "", text_of(cell)))
    for each in rules.municipalities:
        if wanted in {folded(each.name), folded(each.id)}:
            return rules.municipality_id(each.id)
    raise WrongCell("no-town")


def chosen(cell: Any, words: dict[str, str], code: str) -> str:
    """The value of one of these words, or the value itself. WrongCell with this code."""
    word = folded(text_of(cell))
    if word in words:
        return words[word]
    raise WrongCell(code)
