"""Sheets of a workbook (XLSX, ODS, XLS), after its archive was found to be harmless.

Invariants: an archive is unpacked in memory only when all of it together is small, whatever its headers claim; a sheet is read by a process
of its own.
"""

import io
import json
import subprocess
import sys
import zipfile
import zlib
from typing import Any

from enrolment.lists.workbook import cell_of

UNPACKED = 40 * 1024 * 1024  # bytes of an archive when it is unpacked
ENTRIES = 2_000
STEP = 256 * 1024
PATIENCE = 60.0  # seconds for a sheet
HEADER = 30  # bytes of a local header before its names
OLE = b"\xd0\xcf\x11\xe0"  # begins an old workbook, and one with a password


class Unreadable(Exception):
    """A file that is no list. `code`: which sentence tells why; `values` are in it."""

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code)
        self.code, self.values = code, values


def sheet_of(content: bytes) -> tuple[list[list[Any]], str]:
    """Return the rows of the first visible sheet that has any, and its name. Raises Unreadable."""
    if not content.startswith(OLE):
        _refuse_bomb(content)
    # Its limits end the process, which this one survives: a sheet of a few bytes can claim a million rows of 16,384 columns.
    command = [sys.executable, "-m", "enrolment.lists.workbook"]
    try:
        read = subprocess.run(command, input=content, capture_output=True, timeout=PATIENCE, check=True).stdout
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise Unreadable("too-large-inside") from error
    told = json.loads(read)
    if "fault" in told:
        raise Unreadable(told["fault"])
    return [[cell_of(cell) for cell in row] for row in told["rows"]], told["name"]


def _refuse_bomb(content: bytes) -> None:
    """Unpack entry after entry without keeping anything, up to the limit: the size that an archive claims is no proof."""
    left = UNPACKED
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        raise Unreadable("damaged") from error
    if len(entries) > ENTRIES:
        raise Unreadable("too-large-inside")
    for entry in entries:
        if entry.flag_bits & 1:
            raise Unreadable("password")
        left -= _size(content, entry, left)
        if left < 0:
            raise Unreadable("too-large-inside")


def _size(content: bytes, entry: zipfile.ZipInfo, most: int) -> int:
    """Bytes of an entry when it is unpacked; more than `most` as soon as it is more."""
    if entry.compress_type != zipfile.ZIP_DEFLATED:
        return entry.compress_size
    head = content[entry.header_offset : entry.header_offset + HEADER]
    start = entry.header_offset + HEADER + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    unpacking, rest, size = zlib.decompressobj(-15), content[start:], 0
    try:
        while size <= most and not unpacking.eof:
            piece = unpacking.decompress(rest, STEP)
            rest, size = unpacking.unconsumed_tail, size + len(piece)
            if not piece and not rest:
                break
    except zlib.error as error:
        raise Unreadable("damaged") from error
    return size
