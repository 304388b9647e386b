"""Whether a JSON text can be kept: said by the field that cannot.

Invariant: what passes has only characters that UTF-8 and the engines can hold, and only whole numbers of 64 bits, so that no
engine refuses later what a rule has accepted.
"""

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import orjson

_DOUBTFUL = re.compile(rb"\\u0000|\\ud[89a-f]|[0-9]{19}", re.IGNORECASE)
_WHOLE = range(-(2**63), 2**63)


class Malformed(Exception):
    """The text is not JSON (RFC 8259); the message says where."""


class Wrong(NamedTuple):
    """One value that cannot be kept: the way to it from the top, and why not."""

    way: tuple[str | int, ...]
    why: str


def wrong_in(text: bytes) -> list[Wrong]:
    """What in a JSON text cannot be kept, the first hundred. Raises Malformed."""
    why = _not_json(text)
    if why is None and not _DOUBTFUL.search(text):
        return []  # what nearly every body comes to
    try:
        told = json.loads(text, parse_constant=_no_number)  # unlike orjson, it reads half a character
    except (ValueError, RecursionError) as error:
        raise Malformed(why or str(error)) from None
    found = list(islice(_wrong(told, ()), 100))
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
    raise ValueError(f"{name} is not JSON")


def _wrong(told: Any, way: tuple[str | int, ...]) -> Iterator[Wrong]:
    if isinstance(told, str):
        if why := wrong_text(told):
            yield Wrong(way, why)
    elif isinstance(told, dict):
        for name, value in told.items():
            if why := wrong_text(name):
                yield Wrong(way, f"a field's name {why}")
            else:
                yield from _wrong(value, (*way, name))
    elif isinstance(told, list):
        for place, value in enumerate(told):
            yield from _wrong(value, (*way, place))
    elif isinstance(told, int) and told not in _WHOLE:
        yield Wrong(way, "is a whole number of more than 64 bits")


def wrong_text(text: str) -> str | None:
    """Why a text cannot be kept; None when it can."""
    if "\0" in text:
        return "holds the character NUL"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "holds half a character (a lone surrogate)"
    return None
