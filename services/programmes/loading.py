"""From a TOML file to a programme, or to one sentence with the line at which it is wrong.

Invariant: whatever is in the file, the only error that leaves this module is Misconfigured.
"""

import re
import tomllib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from services.instruments import load_all as load_instruments
from services.programmes.model import Programme
from services.settings import Misconfigured

HEADER = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.\-]+)\s*\]\]?\s*(#.*)?$")
KEY = re.compile(r"^\s*([A-Za-z0-9_\-]+)\s*=")
LINE_OF_TOML = re.compile(r"at line (\d+)")


def load(path: Path) -> Programme:
    """The programme in this file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path.name} cannot be read: {error}.") from error
    return parse(text, path.name)


def parse(text: str, name: str) -> Programme:
    """The programme in this text; `name` is the file's, for the sentence."""
    try:
        programme = Programme.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        found = LINE_OF_TOML.search(str(error))
        line = int(found.group(1)) if found else len(text.splitlines())
        raise Misconfigured(f"{name}, line {line}: not TOML ({str(error).partition(' (at')[0].lower()}).") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        said = first["msg"].removeprefix("Value error, ")
        where: Sequence[str | int] = first["loc"]
        if not where and ": " in said:
            field, _, said = said.partition(": ")
            where = field.split(".")
        raise Misconfigured(f"{name}, line {line_of(text, where)}: {_dotted(where)}: {said.lower()}.") from error
    _instruments_exist(programme, text, name)
    return programme


def load_all(folder: Path | None = None) -> dict[str, Programme]:
    """The shipped programmes and those of the folder, by id. A partner belongs to one programme: its feed is named after it."""
    shipped = [Path(str(each)) for each in files("services.programmes").iterdir() if each.name.endswith(".toml")]
    own = sorted(folder.glob("*.toml")) if folder is not None else []
    programmes: dict[str, Programme] = {}
    partners: dict[str, str] = {}
    for path in [*sorted(shipped), *own]:
        programme = load(path)
        if programme.id in programmes:
            raise Misconfigured(f"{path.name}, line {line_of(path.read_text(), ['id'])}: there is a programme {programme.id} already.")
        for at, partner in enumerate(programme.partners):
            if partner.id in partners:
                line = line_of(path.read_text(), ["partners", at, "id"])
                other = partners[partner.id]
                raise Misconfigured(f"{path.name}, line {line}: partner {partner.id} is one of programme {other} already.")
            partners[partner.id] = programme.id
        programmes[programme.id] = programme
    return programmes


def _instruments_exist(programme: Programme, text: str, name: str) -> None:
    known = load_instruments()
    for at, survey in enumerate(programme.surveys):
        if survey.instrument not in known:
            line = line_of(text, ["surveys", at, "instrument"])
            raise Misconfigured(f"{name}, line {line}: there is no instrument {survey.instrument}; there are {', '.join(known)}.")


def line_of(text: str, where: Sequence[str | int]) -> int:
    """The line (from 1) of the deepest part of this path that the file names; 1 when it names none."""
    wanted = [str(part) for part in where]
    best, deepest = 1, 0
    table: list[str] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := HEADER.match(line):
            table = header.group(2).split(".")
            if header.group(1) == "[[":
                seen[header.group(2)] = seen.get(header.group(2), -1) + 1
                table = [*table, str(seen[header.group(2)])]
            path = table
        elif key := KEY.match(line):
            path = [*table, key.group(1)]
        else:
            continue
        depth = _common(path, wanted)
        if depth == len(path) and depth > deepest:
            best, deepest = number, depth
    return best


def _common(path: Sequence[str], wanted: Sequence[str]) -> int:
    depth = 0
    for mine, theirs in zip(path, wanted, strict=False):
        if mine != theirs:
            break
        depth += 1
    return depth


def _dotted(where: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in where) or "the programme"
