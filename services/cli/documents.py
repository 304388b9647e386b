"""JSON documents that a command reads from a file.

Invariant: whatever the file holds, a command either reads one meaning of it or ends with Misconfigured, one sentence.
"""

from pathlib import Path
from typing import Any

from services.settings import Misconfigured, text_of


def json_of(path: Path) -> Any:
    """The value of a JSON file, in which each key of an object stands once and each character is whole. A byte order mark is skipped."""
    # With the module come the routes of all services, which most commands do not need.
    from services.web.readable import Malformed, parse, wrong_in

    text = text_of(path).encode()
    try:
        value, wrong = parse(text), wrong_in(text)
    except Malformed as error:
        raise Misconfigured(f"{path}: no JSON: {error}.") from error
    if wrong:
        at = ".".join(map(str, wrong[0].path)) or "the document"
        raise Misconfigured(f"{path}: {at} {wrong[0].why}.")
    return value
