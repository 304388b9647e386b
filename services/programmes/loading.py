"""Reading a programme from a TOML file, or one sentence with the line of its first mistake.

Invariant: whatever the file holds, this module raises no other error than Misconfigured.
"""

import re
import tomllib
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from services.programmes.instruments import load_all as load_instruments
from services.programmes.lines import line_of
from services.programmes.model import Programme
from services.programmes.plausible import implausible
from services.settings import Misconfigured

LINE_OF_TOML = re.compile(r"at line (\d+)")
# A key of a programme has few parts. tomllib takes time with the square of their number: half a minute for a line of 40 KB.
LONG_KEY = re.compile(r"""(?<![\w-])(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){33}""")
PLAIN = re.compile(r"[\w-]+")


@dataclass(frozen=True, slots=True)
class ProgrammeFile:
    """A programme with the file that it was read from, so that a mistake that shows later is named at its line, too."""

    name: str
    text: str
    programme: Programme

    def wrong(self, where: Sequence[str | int], fault: str) -> Misconfigured:
        """Build the sentence for a mistake at this path of the file."""
        return _wrong(self.name, self.text, where, fault)


def load(path: Path) -> Programme:
    """Read the programme of this file."""
    return read_file(path).programme


def load_all(folder: Path | None = None) -> dict[str, Programme]:
    """Return the shipped programmes and those of the folder, by id."""
    return {id: file.programme for id, file in read_all(folder).items()}


def read_all(folder: Path | None = None) -> dict[str, ProgrammeFile]:
    """Return the shipped files and those of the folder, by id. A partner is in one programme alone: its feed has its name."""
    if folder is not None and not folder.is_dir():
        raise Misconfigured(f"AMA_PROGRAMMES: {folder} is no folder.")
    shipped = [Path(str(each)) for each in files("services.programmes").iterdir() if each.name.endswith(".toml")]
    own = sorted(folder.glob("*.toml")) if folder is not None else []
    found: dict[str, ProgrammeFile] = {}
    # The shipped ones first, so that a conflict is reported in the operator's file.
    for path in [*sorted(shipped), *own]:
        file = read_file(path)
        if file.programme.id in found:
            raise file.wrong(["id"], f"there is a programme {file.programme.id} already")
        refuse_partners_of_others(file, [each.programme for each in found.values()])
        found[file.programme.id] = file
    return found


def refuse_partners_of_others(file: ProgrammeFile, others: Iterable[Programme]) -> None:
    """Refuse a partner that is one of another programme, retired or not."""
    partners = {partner.id: other.id for other in others for partner in other.partners if other.id != file.programme.id}
    for at, partner in enumerate(file.programme.partners):
        if partner.id in partners:
            fault = f"{partner.id} is a partner of programme {partners[partner.id]} already"
            raise file.wrong(["partners", at, "id"], fault)


def read_file(path: Path) -> ProgrammeFile:
    """Read the programme of this file, with its text."""
    text = _text(path)
    return ProgrammeFile(path.name, text, parse(text, path.name))


def read_text(text: str, name: str) -> ProgrammeFile:
    """Read the programme of this text; `name` is that of its file, for the sentence."""
    return ProgrammeFile(name, text, parse(text, name))


def parse(text: str, name: str) -> Programme:
    """Read the programme of this text; `name` is that of the file, for the sentence."""
    table = _toml(text, name)
    try:
        programme = Programme.model_validate(table)
    except ValidationError as error:
        mistakes = error.errors(include_url=False)
        first = next(
            (each for each in mistakes if each["type"] == "extra_forbidden"), mistakes[0]
        )  # a misspelt key is reported before the missing one
        # An error of the whole programme has no `loc`.
        where: Sequence[str | int] = first.get("ctx", {}).get("where", first["loc"])
        fault = first["msg"].removeprefix("Value error, ")
        raise _wrong(name, text, where, fault[:1].lower() + fault[1:]) from error
    known = load_instruments()
    for at, survey in enumerate(programme.surveys):
        if survey.instrument not in known:
            fault = f"there is no instrument {survey.instrument}; there are {', '.join(known)}"
            raise _wrong(name, text, ["surveys", at, "instrument"], fault)
    if (mistake := implausible(programme)) is not None:
        raise _wrong(name, text, *mistake)
    return programme


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        # Counted in bytes, because the text does not decode.
        line = path.read_bytes().count(b"\n", 0, error.start) + 1
        raise Misconfigured(f"{path.name}, line {line}: not UTF-8.") from error
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read: {error.strerror or error}.") from error


def _toml(text: str, name: str) -> dict[str, Any]:
    if long := LONG_KEY.search(text):
        raise Misconfigured(f"{name}, line {text.count(chr(10), 0, long.start()) + 1}: a key of more than 32 parts.")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = LINE_OF_TOML.search(str(error))
        line = int(found.group(1)) if found else text.rstrip("\n").count("\n") + 1
        fault = str(error).partition(" (at")[0]
        raise Misconfigured(f"{name}, line {line}: not TOML ({fault[:1].lower() + fault[1:]}).") from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; thousands of brackets
        raise Misconfigured(f"{name}, line {_breaks_at(text)}: not to be read ({type(error).__name__}).") from error


def _breaks_at(text: str) -> int:
    """Return the first line at which the parser gives up; it does so for every longer part of the text, too."""
    lines = text.split("\n")

    def gives_up(number: int) -> bool:
        try:
            tomllib.loads("\n".join(lines[:number]))
        except tomllib.TOMLDecodeError:
            return False  # it is not complete yet
        except (ValueError, RecursionError):
            return True
        return False

    return bisect_left(range(len(lines)), True, key=gives_up)


def _wrong(name: str, text: str, where: Sequence[str | int], fault: str) -> Misconfigured:
    path = ".".join(part if PLAIN.fullmatch(part) else repr(part) for part in map(str, where)) or "the programme"
    return Misconfigured(f"{name}, line {line_of(text, where)}: {path}: {fault}.")
