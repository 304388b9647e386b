"""The terminal of every `ama` command: text is shown as it is, whoever wrote it.

Invariant: no text is read as markup, and no character of it moves the cursor, colours, rings or turns the direction of writing: such a
character is shown as its escape, as JSON writes it. One text is one line: a line break in it is shown too, so that nobody forges a line.
"""

import json
import logging
import sys
import unicodedata
from typing import Any, NoReturn

from rich.console import Console
from rich.text import Text

HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # control, format, half a character, separators of lines and paragraphs
WIDE = 200  # columns where there is no terminal, so that a table does not wrap its lines


class Terminal(Console):
    """A console without markup. Strings in tables are treated like those that are printed."""

    def __init__(self, *, stderr: bool = False, width: int | None = None) -> None:
        super().__init__(stderr=stderr, width=width, markup=False, emoji=False, highlight=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """The text with its hidden characters shown."""
        return super().render_str(visible(text), **options)


def wide(columns: int = WIDE) -> Terminal:
    """A terminal that is wide in a pipe."""
    here = Terminal()
    return here if here.is_terminal else Terminal(width=columns)


def visible(text: str) -> str:
    """The text with an escape for each hidden character. JSON stays the same JSON."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(each) if unicodedata.category(each) in HIDDEN else each for each in text)


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{int.from_bytes(units[at : at + 2]):04x}" for at in range(0, len(units), 2))


def quiet() -> None:
    """Keep log lines of libraries off the terminal: the command itself says what came of it. Call it after the command's imports, since
    FastStream takes a handler of its own, in colours, when it is imported."""
    from services.telemetry import log_as_json

    log_as_json(logging.ERROR, logging.NullHandler())


def say(text: str) -> None:
    """Write a line to standard output as it is, without wrapping: for what another program reads."""
    sys.stdout.write(visible(text) + "\n")


def say_json(value: Any) -> None:
    """Write a value to standard output as JSON."""
    say_lines(json.dumps(value, indent=2, ensure_ascii=False))


def say_lines(text: str) -> None:
    """Write a text to standard output whose line breaks are the program's own, such as JSON."""
    for line in text.split("\n"):
        say(line)


def refuse(*sentences: str) -> NoReturn:
    """End the command with these sentences on standard error and exit status 1."""
    sys.stdout.flush()
    sys.stderr.write("".join(f"{visible(each)}\n" for each in sentences))
    raise SystemExit(1)
