"""Strict reading of a JSON text, and the check for values that cannot be stored, by field.

Invariant: a text that passes has one meaning for every reader (UTF-8, each key of an object once, finite numbers, bounded depth), and only
characters and whole numbers that the engines can hold, so that no engine refuses later what a rule has accepted.
"""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from math import isfinite
from typing import Any, NamedTuple

DEEPEST = 64  # objects and lists inside each other; no body of ours has ten
SHOWN = 60  # characters of a key in a sentence, which the caller may have invented
# Cheap search over bytes: only a text that may hold such a value is walked field by field.
_DOUBTFUL = re.compile(rb"\\u0000|\\ud[89a-f]|[0-9]{19}|[0-9]e\+?[0-9]{3}", re.IGNORECASE)
_INT64 = range(-(2**63), 2**63)


class Malformed(Exception):
    """The text is not JSON (RFC 8259), or has no single meaning; the message says where."""


class Wrong(NamedTuple):
    """One value that cannot be stored: the path to it from the top, and the reason."""

    path: tuple[str | int, ...]
    why: str


def parse(text: bytes) -> Any:
    """Return the value of a JSON text. Raises Malformed, which names a key that stands twice in one object."""
    try:
        # `json` and not orjson, which keeps the last of two equal keys in silence.
        value = json.loads(text.decode(), object_pairs_hook=_each_key_once, parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise Malformed(f"byte {error.start} is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise Malformed(str(error)) from None
    if text.count(b"[") + text.count(b"{") > DEEPEST and _deeper_than(DEEPEST, value):
        raise Malformed(f"more than {DEEPEST} objects and lists are inside each other")
    return value


def wrong_in(text: bytes) -> list[Wrong]:
    """List the values of a JSON text that cannot be stored, at most 100. Raises Malformed."""
    value = parse(text)
    # nearly every body ends here
    return list(islice(_wrong(value, ()), 100)) if _DOUBTFUL.search(text) else []


def twice(names: Iterable[str]) -> str | None:
    """Return the first name that was there before; None when each is there once."""
    seen = set[str]()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def shown(name: str) -> str:
    """Return a name as it can stand in a sentence: quoted, short, and with escapes for half a character."""
    return json.dumps(name[:SHOWN], ensure_ascii=False).encode(errors="backslashreplace").decode()


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"the key {shown(str(twice(name for name, _ in pairs)))} stands twice in one object")
    return found


def _no_number(name: str) -> None:
    # json.loads accepts NaN and Infinity, which RFC 8259 does not have.
    raise ValueError(f"{name} is not JSON")


def _deeper_than(most: int, value: Any) -> bool:
    level = [value]
    for _ in range(most + 1):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    return bool(level)


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
    elif isinstance(value, float) and not isfinite(value):
        yield Wrong(path, "is a number beyond those that can be stored")


def wrong_text(text: str) -> str | None:
    """Give the reason why a text cannot be stored; None when it can."""
    if "\0" in text:
        return "holds the character NUL"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "holds half a character (a lone surrogate)"
    return None
