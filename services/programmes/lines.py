"""Lines of the values in a TOML file, which the parser of the standard library does not keep.

Invariant: the text is valid TOML (tomllib has read it), so only the beginnings of keys, values and tables are recognised.
Every path that `tomllib.loads` gives for the text has a line here.
"""

import re
import tomllib
from bisect import bisect_left
from collections.abc import Sequence

Path = tuple[str, ...]  # keys and positions, positions written as numbers: ("partners", "0", "id")

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_OTHER = re.compile(r"[^,\]}#\n]+")  # numbers, dates and booleans end where something else begins
_STRINGS = (
    re.compile(r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}', re.DOTALL),
    re.compile(r"'''(?:[^']|'{1,2}(?!'))*'{3,5}"),
    re.compile(r'"(?:[^"\\\n]|\\.)*"'),
    re.compile(r"'[^'\n]*'"),
)


def line_of(text: str, where: Sequence[str | int]) -> int:
    """Return the line (from 1) of the deepest part of this path that the file names; 1 when it names none."""
    path, scan = tuple(str(part) for part in where), _Scan(text)
    try:
        lines = scan.run()
    except RecursionError:  # nested deeper than any programme: what contains it has a line already
        lines = scan.lines
    return next((lines[path[:depth]] for depth in range(len(path), 0, -1) if path[:depth] in lines), 1)


def lines_of(text: str) -> dict[Path, int]:
    """Return the line of each key, table and element."""
    return _Scan(text).run()


class _Scan:
    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        # Counted once: counting from the beginning for each key takes time with the square of the file's length.
        self._breaks = [found.start() for found in re.finditer("\n", text)]
        self.lines: dict[Path, int] = {}
        self._tables: dict[Path, int] = {}  # arrays of tables: how many so far

    def run(self) -> dict[Path, int]:
        table: Path = ()
        while self._skip() < len(self._text):
            table = self._header() if self._text[self._at] == "[" else self._pair(table)
        return self.lines

    def _skip(self) -> int:
        self._at = self._match(_BLANK).end()
        return self._at

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str]:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise ValueError(f"not TOML at {self._at}")
        return found

    def _note(self, path: Path, at: int) -> None:
        # The first line counts: later headers may name the same table as their parent.
        self.lines.setdefault(path, bisect_left(self._breaks, at) + 1)

    def _header(self) -> Path:
        start, several = self._at, self._text.startswith("[[", self._at)
        self._at += 2 if several else 1
        keys = self._keys()
        self._at += 2 if several else 1
        path: Path = ()
        for depth, key in enumerate(keys, start=1):
            path = (*path, key)
            self._note(path, start)
            if several and depth == len(keys):
                self._tables[path] = self._tables.get(path, -1) + 1
            if path in self._tables:
                path = (*path, str(self._tables[path]))
                self._note(path, start)
        return path

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._skip()
            quoted = self._text[self._at] in "\"'"
            found = self._string() if quoted else self._match(_BARE)
            self._at = found.end()
            keys.append(_unquoted(found.group()) if quoted else found.group())
            self._skip()
            if self._text[self._at] != ".":
                return keys
            self._at += 1

    def _string(self) -> re.Match[str]:
        for pattern in _STRINGS:
            if found := pattern.match(self._text, self._at):
                return found
        raise ValueError(f"not TOML at {self._at}")

    def _pair(self, table: Path) -> Path:
        start = self._at
        path = table
        for key in self._keys():
            path = (*path, key)
            self._note(path, start)
        self._at += 1  # the equals sign
        self._value(path)
        return table

    def _value(self, path: Path) -> None:
        self._skip()
        begins = self._text[self._at]
        if begins in "[{":
            self._many(path, inline=begins == "{")
        else:
            self._at = (self._string() if begins in "\"'" else self._match(_OTHER)).end()

    def _many(self, path: Path, *, inline: bool) -> None:
        self._at += 1
        number = 0
        while self._skip() < len(self._text) and self._text[self._at] not in "]}":
            if inline:
                self._pair(path)
            else:
                self._note((*path, str(number)), self._at)
                self._value((*path, str(number)))
                number += 1
            if self._text[self._skip()] == ",":
                self._at += 1
        self._at += 1


def _unquoted(key: str) -> str:
    if "\\" not in key or key[0] == "'":
        return key[1:-1]
    # The parser itself knows the escapes of a quoted key.
    return next(iter(tomllib.loads(f"{key} = 0")))
