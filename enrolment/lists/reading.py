"""Files with lists as tables: workbooks, and text in whatever encoding and with whatever separator.

Invariants: a file over the limit is refused before it is read; a row keeps its number in the file, so that a mistake is found there.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from charset_normalizer import from_bytes

from enrolment.lists.archive import OLE, Unreadable, sheet_of

LARGEST = 900 * 1024  # bytes of a file; the body of a request has at most 1 MiB
ROWS, COLUMNS = 2_000, 200  # of a table
SEPARATORS = ";,\t|"
LOOKED_AT = 60  # rows by which the separator is found out
MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(frozen=True, slots=True)
class Table:
    """A table with the number of each row in the file, from 1; empty rows are left out. `found`: what the file turned out to be."""

    rows: list[tuple[int, list[Any]]]
    found: str


def read_table(content: bytes) -> Table:
    """Read a file. Raises Unreadable: too-large, empty, damaged, password, too-large-inside, no-table, encoding, too-many-rows."""
    if len(content) > LARGEST:
        raise Unreadable("too-large", most=LARGEST // 1024)
    if not content.strip(b"\0 \r\n\t"):
        raise Unreadable("empty")
    if content.startswith((b"PK\x03\x04", OLE)):
        cells, name = sheet_of(content)
        numbered, found = list(enumerate(cells, start=1)), name
    else:
        text, encoding = _decoded(content)
        separator = _separator(text)
        numbered, found = list(_lines(text, separator)), f"{encoding} {separator!r}"
    rows = [
        (number, row[:COLUMNS])
        for number, row in numbered
        if any(str(cell).strip() for cell in row if cell is not None)
    ]
    if not rows:
        raise Unreadable("empty")
    if len(rows) > ROWS:
        raise Unreadable("too-many-rows", most=ROWS)
    return Table(rows, found)


def _decoded(content: bytes) -> tuple[str, str]:
    """The text and its encoding: by its mark, as UTF-8, else as a program of Windows writes it here, else as it looks."""
    if content.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"{\\rtf")) or content.lstrip()[:9].lower().startswith(
        (b"<html", b"<!doctype", b"<table", b"<?xml")
    ):
        raise Unreadable("no-table")
    encodings = [name for mark, name in MARKS.items() if content.startswith(mark)] or _unmarked(content)
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text, encoding
    best = from_bytes(content).best()
    if best is None or "\0" in str(best):
        raise Unreadable("encoding")
    return str(best), best.encoding


def _unmarked(content: bytes) -> list[str]:
    """The encodings to try. Of UTF-16 without a mark every second byte is zero, since its characters are Latin ones."""
    if content[1::2][:200].count(0) > len(content[1::2][:200]) // 2:
        return ["utf-16-le"]
    if content[::2][:200].count(0) > len(content[::2][:200]) // 2:
        return ["utf-16-be"]
    return ["utf-8", "cp1252"]


def _separator(text: str) -> str:
    """The separator by which most rows have equally many columns."""
    if text[:4].lower() == "sep=":
        return text[4:5]

    def worth(separator: str) -> int:
        widths = Counter(len(row) for _, row in _lines(text, separator, LOOKED_AT) if len(row) > 1)
        return max((width * count * count for width, count in widths.items()), default=0)

    return max(SEPARATORS, key=worth)


def _lines(text: str, separator: str, most: int | None = None) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    before = 0
    try:
        for row in reader:
            number, before = (
                before + 1,
                reader.line_num,
            )  # a cell may hold line breaks: a row has the number of its first line
            if number == 1 and text[:4].lower() == "sep=":
                continue
            yield number, [_plain(cell) for cell in row]
            if most is not None and number >= most:
                return
    except csv.Error as error:
        raise Unreadable("damaged") from error


def _plain(cell: str) -> str:
    """A text that was protected from being a number, as ="0123"."""
    return cell[2:-1] if cell.startswith('="') and cell.endswith('"') else cell
