"""A list between its two steps: read and judged at the first, carried by the page, and taken at the second.

Invariant: what comes back from a browser is taken only as this service had judged it, for the partner for whom it had.
"""

import csv
import hmac
import io
import secrets
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel

from enrolment.lists.archive import Unreadable
from enrolment.lists.columns import HEADINGS, columns_of
from enrolment.lists.commands import Row
from enrolment.lists.reading import read_table
from enrolment.lists.rows import Listed, judge
from services.programmes import Programme

MAC, CLOCK, NONCE = 32, 8, 8  # bytes
ONCE = 40  # characters
STANDS = timedelta(hours=1)  # for a list that was judged
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # begin a cell that a spreadsheet would compute
COLUMNS = (
    "family_name", "given_name", "fiscal_code", "email", "phone", "municipality", "birth", "gender", "employer", "employment", "lost",
)  # fmt: skip
EXAMPLE = {
    "it": ("Rossi", "Maria", "RSSMRA80A41F704J", "maria@example.org", "333 1234567", "Monza", "01/01/1980", "F",
           "Azienda Esempio", "licenziamento collettivo", "31/10/2026"),
    "en": ("Rossi", "Maria", "RSSMRA80A41F704J", "maria@example.org", "333 1234567", "Monza", "01/01/1980", "F",
           "Example Company", "collective dismissal", "31/10/2026"),
}  # fmt: skip


class Told(BaseModel):
    """A mistake: the row and the heading in the file, the code of the sentence, and the value."""

    row: int
    column: str
    code: str
    value: str


class Checked(BaseModel):
    """A list that was judged. `repeated`: rows that repeat an earlier one, with the number of that one. `ignored`: columns from which
    nothing is taken. `found`: encoding and separator, or the sheet."""

    people: list[Listed]
    mistakes: list[Told]
    repeated: list[tuple[int, int]]
    ignored: list[str]
    found: str

    @property
    def wrong_rows(self) -> int:
        """The number of rows with a mistake."""
        return len({each.row for each in self.mistakes})

    @property
    def rows(self) -> tuple[Row, ...]:
        """The people as the command takes them."""
        return tuple(Row(number=each.number, key=each.key, card=each.card, sketch=each.sketch) for each in self.people)


def check(content: bytes, rules: Programme) -> Checked:
    """Read and judge a file. Raises Unreadable."""
    table = read_table(content)
    columns = columns_of(table)
    judged = judge(table, columns, rules)
    if not judged.people and not judged.mistakes:
        raise Unreadable("nobody")
    told = [Told(row=each.row, column=each.column, code=each.code, value=each.value) for each in judged.mistakes]
    return Checked(
        people=judged.people, mistakes=told, repeated=judged.repeated, ignored=columns.ignored, found=table.found
    )


def carried(checked: Checked, secret: bytes, owner: str, now: datetime) -> str:
    """The list as a field of a page. `owner`: for whom it was judged. Two pages carry different texts, also of one file."""
    packed = int(now.timestamp()).to_bytes(CLOCK) + secrets.token_bytes(NONCE)
    packed += zlib.compress(checked.model_dump_json(exclude_defaults=True).encode())
    return urlsafe_b64encode(_mac(secret, owner, packed) + packed).decode()


def brought(text: str, secret: bytes, owner: str, now: datetime) -> Checked:
    """The list that a page brought back. Raises Unreadable("changed") for anything that `carried` did not make for this owner, or made too
    long ago: somebody on it may have been erased since."""
    try:
        raw = urlsafe_b64decode(text)
    except ValueError:
        raw = b""
    packed = raw[MAC:]
    if not hmac.compare_digest(raw[:MAC], _mac(secret, owner, packed)):
        raise Unreadable("changed")
    if now - datetime.fromtimestamp(int.from_bytes(packed[:CLOCK]), UTC) > STANDS:
        raise Unreadable("changed")
    return Checked.model_validate_json(zlib.decompress(packed[CLOCK + NONCE :]))


def once_of(text: str) -> str:
    """The key by which two submissions of one page are one: the beginning of the text that it carries."""
    return text[:ONCE]


def _mac(secret: bytes, owner: str, packed: bytes) -> bytes:
    return hmac.digest(secret, owner.encode() + b"\0" + packed, "sha256")


def safe_csv(rows: Iterable[Iterable[object]]) -> bytes:
    """Rows as a CSV file that Excel in Italian opens, in which no cell is a formula."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerows([_harmless(str(cell)) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def template(language: str) -> list[tuple[str, ...]]:
    """The rows of the template: headings, and a person who is an example."""
    which = 0 if language == "it" else 1
    headings = tuple(HEADINGS[name][which].capitalize() for name in COLUMNS)
    return [headings, EXAMPLE["it" if which == 0 else "en"]]


def template_xlsx(language: str) -> bytes:
    """The template as a workbook, all of whose cells are text, so that no zero is lost."""
    from openpyxl import Workbook  # only for a download: it takes a while to load

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in template(language):
        sheet.append(row)
    for column in sheet.iter_cols(min_row=1, max_row=500, max_col=len(COLUMNS)):
        for cell in column:
            cell.number_format = "@"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
