"""The rows of a workbook's first visible sheet that has any, read in a process of its own: `python -m enrolment.lists.workbook`.

Invariant: a workbook that makes the reader abort, or use much memory or time, ends this process and no service. The file comes by standard
input; rows go out as JSON, in which a cell that JSON does not know is `[kind, text]`.
"""

import io
import json
import resource
import sys
from datetime import date, datetime, time, timedelta
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

MEMORY = 512 * 1024 * 1024  # bytes of addresses
SECONDS = 20  # of processor time
KINDS: dict[type, str] = {datetime: "moment", date: "day", time: "time"}


def main() -> None:
    """Read the file and write its rows, or the code of the fault."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    try:
        told = _read(sys.stdin.buffer.read())
    except (CalamineError, OSError, ValueError) as error:
        told = {"fault": "password" if "assword" in str(error) else "damaged"}
    json.dump(told, sys.stdout, default=_tagged)


def _read(content: bytes) -> dict[str, Any]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    for at, sheet in enumerate(book.sheets_metadata):
        if sheet.visible is SheetVisibleEnum.Visible and sheet.typ is SheetTypeEnum.WorkSheet:
            rows = book.get_sheet_by_index(at).to_python(skip_empty_area=False)
            if any(any(cell not in ("", None) for cell in row) for row in rows):
                return {"rows": rows, "name": sheet.name}
    return {"fault": "empty"}


def _tagged(cell: Any) -> list[Any]:
    if isinstance(cell, timedelta):
        return ["span", cell.total_seconds()]
    return [KINDS[type(cell)], cell.isoformat()]


def cell_of(told: Any) -> Any:
    """The cell that was written as JSON."""
    if not isinstance(told, list):
        return told
    kind, text = told
    if kind == "span":
        return timedelta(seconds=text)
    return next(each for each, name in KINDS.items() if name == kind).fromisoformat(text)  # type: ignore[attr-defined]  # all have it


if __name__ == "__main__":
    main()
