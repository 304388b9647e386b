"""Lists as people send them: thirty awkward files, made when they are asked for, with what a reader of each has to be told.

`people`: how many people could be taken; `mistakes`: row, code; `fault`: the code when the file is no list.
"""

import csv
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

HEADS = ["Cognome", "Nome", "E-mail", "Telefono", "Comune", "Data di nascita"]
ADA = ["D'Angelò", "Nicolò", "nico@example.it", "333 1234567", "Muggiò", "01/02/1970"]
EVA = ["Rossi", "Maria", "maria@example.it", "039 123456", "Bovisio Masciago", "3/11/1981"]
ROWS = [HEADS, ADA, EVA]


def text(
    rows: list[list[str]], separator: str = ";", encoding: str = "utf-8", end: str = "\r\n", mark: bytes = b""
) -> bytes:
    """A text file of these rows, as a program would save it."""
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator=end).writerows(rows)
    return mark + out.getvalue().encode(encoding)


def book(*sheets: list[list[Any]], hidden: int = 0, mac: bool = False, merge: str | None = None) -> bytes:
    """A workbook; the first `hidden` sheets are hidden."""
    made = Workbook()
    if mac:
        made.epoch = CALENDAR_MAC_1904
    made.remove(made.worksheets[0])
    for at, rows in enumerate(sheets):
        sheet = made.create_sheet(f"S{at}")
        for row in rows:
            sheet.append(row)
        if at < hidden:
            sheet.sheet_state = "hidden"
        if merge:
            sheet.merge_cells(merge)
    made.active = hidden
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def ods(rows: list[list[str]]) -> bytes:
    """A sheet of LibreOffice, as small as one can be."""
    cells = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>' for cell in row
        )
        + "</table:table-row>"
        for row in rows
    )
    space = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="{space}:office:1.0" '
        f'xmlns:table="{space}:table:1.0" xmlns:text="{space}:text:1.0" office:version="1.2"><office:body><office:spreadsheet>'
        f'<table:table table:name="Elenco">{cells}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "META-INF/manifest.xml",
            '<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
        archive.writestr("content.xml", content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def bomb() -> bytes:
    """A workbook of some kB that would be 200 MB, and says that it is small."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as entry:
            for _ in range(200):
                entry.write(bytes(1024 * 1024))
    # The size that the directory claims is a lie.
    return out.getvalue().replace((200 * 1024 * 1024).to_bytes(4, "little"), (1000).to_bytes(4, "little"))


def far_corner() -> bytes:
    """A workbook of 2 kB with one stray cell in the last row and column that a sheet can have: 17 billion cells between."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (HEADS, ADA, EVA):
        sheet.append(row)
    sheet.cell(row=1_048_576, column=16_384, value="x")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def repeated_ods() -> bytes:
    """A table of ODS whose one cell says that it is repeated in every row and column."""
    content = ods([["Ada"]])
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as found, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in found.namelist():
            text = found.read(name)
            text = text.replace(b"<table:table-row>", b'<table:table-row table:number-rows-repeated="1048576">')
            text = text.replace(b"<table:table-cell ", b'<table:table-cell table:number-columns-repeated="16384" ')
            archive.writestr(name, text)
    return out.getvalue()


def with_cell(column: int, value: Any) -> list[list[Any]]:
    """The list with one cell of its second person changed."""
    eva: list[Any] = list(EVA)
    eva[column] = value
    return [HEADS, ADA, eva]


def numbered(count: int) -> list[list[str]]:
    """So many people, all different."""
    return [HEADS, *(["Prova", f"Nome {at}", f"p{at}@example.org", "", "Monza", "1/1/1980"] for at in range(count))]


@dataclass(frozen=True)
class File:
    """One awkward file and what is right."""

    content: Callable[[], bytes]
    people: int = 2
    mistakes: list[tuple[int, str]] = field(default_factory=list)
    fault: str | None = None
    repeated: int = 0


TITLES = [["Elenco del personale in esubero"], [], ["Aggiornato al 30 novembre 2026", "", ""], *ROWS]
TWO_ROWS = [
    ["", "", "Contatti", "", "Comune", "Data"],
    ["Cognome", "Nome", "E-mail", "Telefono", "di residenza", "di nascita"],
    ADA,
    EVA,
]
GROUPED = [["Anagrafica", "", "Contatti", "", "Altro", ""], *ROWS]
DAYS: list[list[Any]] = [HEADS, [*ADA[:5], date(1970, 2, 1)], [*EVA[:5], date(1981, 11, 3)]]
ENGLISH = [["Surname", "First name", "Email", "Phone number", "Town", "Date of birth"], ADA, EVA]
TOGETHER = [["Nominativo", "Cellulare", "Comune"], ["Rossi, Maria", "3331234567", "Monza"], ["De Luca Anna", "3331234568", "Monza"],
            ["Bianchi Maria Grazia", "3331234569", "Monza"]]  # fmt: skip
AWKWARD: dict[str, File] = {
    "mark of UTF-8": File(partial(text, ROWS, mark=b"\xef\xbb\xbf")),
    "Windows-1252": File(partial(text, ROWS, encoding="cp1252")),
    "UTF-16 with a mark": File(partial(text, ROWS, encoding="utf-16")),
    "UTF-16 without a mark": File(partial(text, ROWS, encoding="utf-16-le")),
    "UTF-16 of the other order": File(partial(text, ROWS, encoding="utf-16-be", mark=b"\xfe\xff")),
    "commas": File(partial(text, ROWS, separator=",")),
    "tabs": File(partial(text, ROWS, separator="\t")),
    "bars and lines of an old Mac": File(partial(text, ROWS, separator="|", end="\r")),
    "a line that names the separator": File(lambda: b"sep=;\r\n" + text(ROWS)),
    "commas inside of quotes": File(partial(text, with_cell(0, "Rossi, nata Bianchi"), separator=",")),
    "English headings": File(partial(text, ENGLISH)),
    "titles above": File(partial(text, TITLES)),
    "headings on two rows": File(partial(text, TWO_ROWS)),
    "merged headings": File(partial(book, GROUPED, merge="A1:B1")),
    "days as days": File(partial(book, DAYS)),
    "days of the other epoch": File(partial(book, DAYS, mac=True)),
    "days as numbers": File(partial(text, with_cell(5, "29893"))),
    "a number with a lost zero": File(partial(book, with_cell(3, 39123456))),
    "a number as a number": File(partial(book, with_cell(3, 3331234567.0))),
    "a number that is protected": File(partial(text, with_cell(3, '="0391234567"'))),
    "a formula": File(partial(text, with_cell(2, "=HYPERLINK(A1)")), 1, [(3, "formula")]),
    "empty rows": File(partial(text, [HEADS, [], ADA, ["", "", "", "", "", ""], EVA, [], []])),
    "a thousand duplicates": File(partial(text, [HEADS, *[EVA] * 1001]), 1, repeated=1000),
    "hidden sheets": File(partial(book, numbered(3), ROWS, hidden=1)),
    "a sheet of LibreOffice": File(partial(ods, ROWS)),
    "names in one column": File(partial(text, TOGETHER), 2, [(4, "names")]),
    "phone alone": File(partial(text, with_cell(2, ""))),
    "nobody could call": File(partial(text, [HEADS, ADA, ["Rossi", "Maria", "", "", "Monza", ""]]), 1, [(3, "no-way")]),
    "columns that nobody asks for": File(partial(text, [[*each, "Matricola"] for each in ROWS])),
    "the same column twice": File(partial(text, [["Cognome", "Nome", "Comune", "Residenza"], ["R", "M", "Monza", "Monza"]]), fault="twice"),
    "no headings": File(partial(text, [ADA, EVA]), fault="no-headings"),
    "headings alone": File(partial(text, [HEADS]), fault="nobody"),
    "nothing": File(lambda: b"\r\n \r\n", fault="empty"),
    "a bomb": File(bomb, fault="too-large-inside"),
    "a cell in the last corner": File(far_corner, fault="too-large-inside"),
    "a cell that is repeated everywhere": File(repeated_ods, fault="damaged"),
    "200 MB": File(partial(bytes, 200 * 1024 * 1024), fault="too-large"),
    "a workbook that is cut": File(lambda: book(ROWS)[:900], fault="damaged"),
    "a document": File(lambda: b"%PDF-1.7 ...", fault="no-table"),
    "a page that is called a workbook": File(lambda: b"<html><table><tr><td>Cognome", fault="no-table"),
    "too many rows": File(partial(text, numbered(2_001)), fault="too-many-rows"),
}  # fmt: skip
