"""The wording of instruments that an operator loads: `instruments/{id}.{language}.toml` in the folder of programme files.

Invariant: a file is whole or refused with one sentence that names it, so that nobody reads half a questionnaire. Scoring is never in it.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationError

from services.programmes.instruments import Instrument, Part, load_all
from services.settings import Misconfigured, content_of

FOLDER = "instruments"  # beside the programme files
LARGEST = 64 * 1024  # bytes of a file
NAME = re.compile(r"([a-z0-9][a-z0-9-]{0,39})\.([a-z]{2})\.toml")
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]


class Wording(Part):
    """The texts of an instrument in one language. `answers`: the label of each answer, from the least on; without, numbers are shown."""

    title: Line | None = None
    introduction: Line | None = None
    answers: tuple[Line, ...] | None = Field(default=None, min_length=2, max_length=20)
    items: dict[str, Line]


def worded(folder: Path | None) -> dict[str, Instrument]:
    """Return the instruments with the wording that is shipped and that of the folder, by id. Misconfigured names the file."""
    found = dict(load_all())
    for path in sorted((folder / FOLDER).glob("*.toml")) if folder is not None else ():
        name = NAME.fullmatch(path.name)
        if name is None or name[1] not in found:
            raise _wrong(path, f"name it {{id}}.{{language}}.toml; there are the instruments {', '.join(found)}")
        found[name[1]] = _with(found[name[1]], name[2], _read(path), path)
    return found


def _read(path: Path) -> Wording:
    content = content_of(path, LARGEST)
    if len(content) > LARGEST:
        raise _wrong(path, f"the file has more than {LARGEST // 1024} KB")
    try:
        return Wording.model_validate(tomllib.loads(content.decode("utf-8-sig")))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise _wrong(path, f"{'.'.join(map(str, first['loc']))}: {first['msg'].lower()}") from error
    except (ValueError, RecursionError) as error:
        raise _wrong(path, f"not TOML in UTF-8 ({str(error)[:100]})") from error


def _with(instrument: Instrument, language: str, wording: Wording, path: Path) -> Instrument:
    """Add one language; a text that is shipped is replaced."""
    known = {item.id for item in instrument.items}
    if unknown := sorted(wording.items.keys() - known):
        raise _wrong(path, f"items.{unknown[0]}: {instrument.id} has no such item")
    if missing := [item.id for item in instrument.items if item.id not in wording.items]:
        raise _wrong(path, f"items.{missing[0]}: its text is missing")
    told: dict[str, object] = instrument.model_dump()
    told["items"] = [
        item.model_dump() | {"text": {**item.text, language: wording.items[item.id]}} for item in instrument.items
    ]
    for name, text in (
        ("titles", wording.title), ("introduction", wording.introduction), ("answers", wording.answers),
    ):  # fmt: skip
        kept: Mapping[str, object] = getattr(instrument, name)
        told[name] = {**kept, language: text} if text is not None else dict(kept)
    try:
        return Instrument.model_validate(told)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]["msg"].removeprefix("Value error, ")
        raise _wrong(path, fault) from error


def _wrong(path: Path, fault: str) -> Misconfigured:
    return Misconfigured(f"{FOLDER}/{path.name}: {fault}.")
