"""Reading a programme from a TOML file, or one sentence with the line of its first mistake.

Invariant: whatever the file holds, this module raises no other error than Misconfigured.
"""

import hashlib
import json
import re
import tomllib
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
from services.settings import Misconfigured, content_of

LINE_OF_TOML = re.compile(r"at line (\d+)")
# A key of a programme has few parts. tomllib takes time with the square of their number: half a minute for a line of 40 KB.
LONG_KEY = re.compile(r"""(?<![\w-])(?:(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){33}""")
LARGEST = 64 * 1024  # bytes of a file: ten times those of the pilot
LONGEST = 1_000  # characters of a line
DEEPEST = 100  # open brackets, for the line of a file that the parser gives up
PLAIN = re.compile(r"[\w-]+")


@dataclass(frozen=True, slots=True)
class ProgrammeFile:
    """A programme with the file that it was read from, so that a mistake that shows later is named at its line, too."""

    name: str
    text: str
    programme: Programme

    @property
    def digest(self) -> str:
        """Return a hash of what the file says. Comments and layout do not count."""
        said = json.dumps(tomllib.loads(self.text), sort_keys=True, default=str)
        return hashlib.sha256(said.encode()).hexdigest()

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
    """Return the shipped files and those of the folder, by id. A file of the folder stands in for a shipped one of the same id.

    A partner is in one programme alone: its feed has its name."""
    if folder is not None and not folder.is_dir():
        raise Misconfigured(f"AMA_PROGRAMMES: {folder} is no folder.")
    shipped = [Path(str(each)) for each in files("services.programmes").iterdir() if each.name.endswith(".toml")]
    own: dict[str, ProgrammeFile] = {}
    for file in map(read_file, sorted(folder.glob("*.toml")) if folder is not None else ()):
        if file.programme.id in own:
            raise file.wrong(["id"], f"there is a programme {file.programme.id} already")
        own[file.programme.id] = file
    found = {file.programme.id: file for file in map(read_file, sorted(shipped))}
    found = {id: file for id, file in found.items() if id not in own}
    # The shipped ones first, so that a conflict is reported in the operator's file.
    for file in own.values():
        refuse_partners_of_others(file, [each.programme for each in found.values()])
        found[file.programme.id] = file
    return found


def refuse_partners_of_others(file: ProgrammeFile, others: Iterable[Programme], has: Programme | None = None) -> None:
    """Refuse a partner that is one of another programme, retired or not. A partner that the programme `has` already is no new one."""
    partners = {partner.id: other.id for other in others for partner in other.partners if other.id != file.programme.id}
    for at, partner in enumerate(file.programme.partners):
        if partner.id in partners and (has is None or has.partner(partner.id) is None):
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
    content = content_of(path, LARGEST)
    if len(content) > LARGEST:
        raise _too_large(path.name)
    try:
        return content.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        # Counted in bytes, because the text does not decode.
        line = content.count(b"\n", 0, error.start) + 1
        raise Misconfigured(f"{path.name}, line {line}: not UTF-8.") from error


def _too_large(name: str) -> Misconfigured:
    return Misconfigured(f"{name}, line 1: the file has more than {LARGEST // 1024} KB.")


def _bounded(text: str, name: str) -> None:
    """Refuse what tomllib would read for seconds. Misconfigured."""
    if len(text) > LARGEST or len(text.encode(errors="replace")) > LARGEST:
        raise _too_large(name)
    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(".") > 32 and LONG_KEY.search(line[:LONGEST]):
            raise Misconfigured(f"{name}, line {number}: a key of more than 32 parts.")
        if len(line) > LONGEST:
            raise Misconfigured(f"{name}, line {number}: not to be read (more than {LONGEST:,} characters).")


def _toml(text: str, name: str) -> dict[str, Any]:
    _bounded(text, name)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = LINE_OF_TOML.search(str(error))
        line = int(found.group(1)) if found else text.rstrip("\n").count("\n") + 1
        fault = str(error).partition(" (at")[0]
        raise Misconfigured(f"{name}, line {line}: not TOML ({fault[:1].lower() + fault[1:]}).") from error
    except (ValueError, RecursionError) as error:  # thousands of brackets
        raise Misconfigured(f"{name}, line {_breaks_at(text)}: not to be read ({type(error).__name__}).") from error


def _breaks_at(text: str) -> int:
    """Return the first line at which too many brackets are open, roughly: those in texts and comments count, too."""
    # The parser is not asked again with parts of the text: that took seconds.
    lines, is_open = text.split("\n"), 0
    for number, line in enumerate(lines, start=1):
        is_open += sum(line.count(each) for each in "[{") - sum(line.count(each) for each in "]}")
        if is_open > DEEPEST:
            return number
    return len(lines)


def _wrong(name: str, text: str, where: Sequence[str | int], fault: str) -> Misconfigured:
    path = ".".join(part if PLAIN.fullmatch(part) else repr(part) for part in map(str, where)) or "the programme"
    return Misconfigured(f"{name}, line {line_of(text, where)}: {path}: {fault}.")
