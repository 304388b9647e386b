"""Check of a JSON text for values that cannot be stored, by field.

Invariant: a text that passes has only characters that UTF-8 and the engines can hold, and whole numbers of at most 64 bits, so that no
engine refuses later what a rule has accepted.
"""

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import orjson

# Cheap search over bytes: only a text that may hold such a value is walked field by field.
_DOUBTFUL = re.compile(rb"\\u0000|\\ud[89a-f]|[0-9]{19}", re.IGNORECASE)
_INT64 = range(-(2**63), 2**63)


class Malformed(Exception):
    """The text is not JSON (RFC 8259); the message says where."""


class Wrong(NamedTuple):
    """One value that cannot be stored: the path to it from the top, and the reason."""

    path: tuple[str | int, ...]
    why: str


def wrong_in(text: bytes) -> list[Wrong]:
    """List the values of a JSON text that cannot be stored, at most 100. Raises Malformed."""
    why = _not_json(text)
    if why is None and not _DOUBTFUL.search(text):
        return []  # nearly every body ends here
    try:
        parsed = json.loads(text, parse_constant=_no_number)  # unlike orjson, it reads a lone surrogate
    except (ValueError, RecursionError) as error:
        raise Malformed(why or str(error)) from None
    found = list(islice(_wrong(parsed, ()), 100))
    # orjson refuses a lone surrogate too; then the field is named, instead of calling the whole body malformed.
    if why is not None and not found:
        raise Malformed(why)
    return found


def _not_json(text: bytes) -> str | None:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return str(error)
    return None


def _no_number(name: str) -> None:
    # json.loads accepts NaN and Infinity, which RFC 8259 does not have.
    raise ValueError(f"{name} is not JSON")


def _wrong(value: Any, path: tuple[str | int, ...]) -> Iterator[Wrong]:
    if isinstance(value, str):
        if why := wrong_text(value):
            yield Wrong(path, why)
    elif isinstance(value, dict):
        for name, member in value.items():
            if why := wrong_text(name):
                yield Wrong(path, f"a field's name {why}")
            else:
                yield from _wrong(member, (*path, name))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _wrong(item, (*path, place))
    elif isinstance(value, int) and value not in _INT64:
        yield Wrong(path, "is a whole number of more than 64 bits")


def wrong_text(text: str) -> str | None:
    """Give the reason why a text cannot be stored; None when it can."""
    if "\0" in text:
        return "holds the character NUL"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "holds half a character (a lone surrogate)"
    return None
