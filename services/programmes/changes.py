"""A changed file against the programme that is published: the next version, its differences, and what is refused.

Invariant: every entry of the published programme is in the next version, as the file has it or retired with its last definition. So
whatever named an entry once finds it for ever, and no moment between a look and a change can orphan anything. No list grows past its
bound, so that no row of changes makes a programme too large for the bus or too dear for the services.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from services.programmes.loading import ProgrammeFile
from services.programmes.model import Entry, Municipality, Notice, Programme, Slot, SurveyWave, great_circle_km
from services.programmes.plausible import MOST

MOVED = 5.0  # km; a municipality that moves farther is another one
ENTRIES = ("partners", "slots", "municipalities")
PARTS = (*ENTRIES, "surveys")
E = TypeVar("E", Entry, SurveyWave)


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between two versions. `change`: added, retired, returned, renamed or changed; `detail`: what is said of it."""

    part: str
    id: str
    change: str
    detail: str = ""


def following(published: Programme | None, file: ProgrammeFile, today: date, *, lived_in: bool) -> Programme:
    """Return the programme that the file makes of the published one. `lived_in`: somebody was referred to it.

    Misconfigured, naming the line, when an id would get a second meaning, or there would be too many ids.
    """
    new = file.programme
    if published is None:
        return new.model_copy(update={"renamed": {}})
    if lived_in:
        _refuse_other_meanings(published, file)
    renamed = _renamings(published, file)
    parts: dict[str, Any] = {
        part: (*getattr(new, part), *_retired(getattr(published, part), getattr(new, part), renamed))
        for part in ENTRIES
    }
    surveys = [_dated(each, published, today if lived_in else None) for each in new.surveys]
    parts["surveys"] = (*surveys, *_retired(published.surveys, new.surveys, {}))
    after = new.model_copy(update={**parts, "notices": _notices(published, new), "renamed": {}})
    _refuse_growth(published, after, file)
    return after


def _refuse_growth(published: Programme, after: Programme, file: ProgrammeFile) -> None:
    """Refuse a list that would be longer than its bound. One that was longer before the bound existed may stay so, and not grow."""
    for part in (*PARTS, "notices"):
        count = len(getattr(after, part))
        if count > max(MOST[part], len(getattr(published, part))):
            fault = f"{count} entries with those that left earlier files, and {MOST[part]} are the most"
            raise file.wrong([part], fault)


def _retired(before: Sequence[E], now: Sequence[E], renamed: dict[str, str]) -> list[E]:
    """The entries that are not in the file, with their last definition."""
    kept = {each.id for each in now}
    gone = [each for each in before if each.id not in kept]
    return [each.model_copy(update={"retired": True, **_renaming(each, renamed)}) for each in gone]


def _renaming(each: Entry | SurveyWave, renamed: dict[str, str]) -> dict[str, str]:
    return {"renamed": renamed[each.id]} if each.id in renamed else {}


def _dated(wave: SurveyWave, published: Programme, today: date | None) -> SurveyWave:
    """A wave that is new, or comes back, counts from today on; one that was there keeps its day."""
    before = next((each for each in published.surveys if each.id == wave.id), None)
    since = before.since if before is not None and not before.retired else today
    return wave.model_copy(update={"since": since})


def _notices(published: Programme, new: Programme) -> tuple[Notice, ...]:
    """Every earlier version, the newest first; one that the file describes again counts as the file has it."""
    found = {each.version: each for each in (*new.notices, published.notice, *published.notices)}
    found |= {each.version: each for each in new.notices}
    found.pop(new.notice.version, None)
    return tuple(found.values())


def _renamings(published: Programme, file: ProgrammeFile) -> dict[str, str]:
    """The last id of each chain of renamings, for the published entries that it concerns. Misconfigured for one of another kind or time."""
    new, found = file.programme, dict[str, str]()
    for old in new.renamed:
        last = new.renamed[old]
        while last in new.renamed:
            last = new.renamed[last]
        if published.partner(old) is not None:
            raise file.wrong(["renamed", old], "a partner keeps its id, which is in tokens and in the name of its feed")
        for part in ("slots", "municipalities"):
            before = next((each for each in getattr(published, part) if each.id == old), None)
            now = next((each for each in getattr(new, part) if each.id == last), None)
            if before is None:
                continue
            if now is None:
                raise file.wrong(["renamed", old], f"{last} is not among the {part}, where {old} was")
            if (
                isinstance(before, Slot)
                and isinstance(now, Slot)
                and (before.weekday, before.at) != (now.weekday, now.at)
            ):
                raise file.wrong(
                    ["renamed", old], f"{last} is at another time than {old} was, and people said when they can come"
                )
            found[old] = last
    return found


def _refuse_other_meanings(published: Programme, file: ProgrammeFile) -> None:
    for where, fault in _other_meanings(published, file.programme):
        raise file.wrong(where, fault)


def _other_meanings(published: Programme, new: Programme) -> Iterator[tuple[Sequence[str | int], str]]:
    """Each id that would mean something else than it did."""
    for name in ("starts", "timezone"):
        if getattr(new, name) != getattr(published, name):
            yield [name], f"it was {getattr(published, name)}, and people are in the programme: it stays"
    for part in ENTRIES:
        before = {each.id: each for each in getattr(published, part)}
        for at, each in enumerate(getattr(new, part)):
            if each.id in before and (other := _other_meaning(before[each.id], each)) is not None:
                yield [part, at, other[0]], other[1]


def _other_meaning(before: Entry, now: Entry) -> tuple[str, str] | None:
    """The field at which an entry differs from what its id meant, and the fault; None when it means the same."""
    if before.renamed is not None:
        return "id", f"{before.id} was renamed to {before.renamed}: choose another id"
    if isinstance(before, Slot) and isinstance(now, Slot) and (before.weekday, before.at) != (now.weekday, now.at):
        return (
            "id",
            f"{before.id} was {before.weekday} at {before.at:%H:%M}, and people may meet then: give another time another id",
        )
    if isinstance(before, Municipality) and isinstance(now, Municipality) and great_circle_km(before, now) > MOVED:
        km = great_circle_km(before, now)
        return "id", f"{before.id} was {km:.0f} km from there: give another municipality another id"
    return None


def differences(before: Programme | None, after: Programme) -> list[Difference]:
    """List what changed between two versions."""
    if before is None:
        return [Difference("programme", after.id, "added")]
    return [*_of_settings(before, after), *(each for part in PARTS for each in _of_part(part, before, after))]


def _of_settings(before: Programme, after: Programme) -> Iterator[Difference]:
    for name in type(after).model_fields:
        if name not in PARTS and (was := getattr(before, name)) != (now := getattr(after, name)):
            yield Difference("programme", name, "changed", f"{_shown(was)} to {_shown(now)}")


def _of_part(part: str, before: Programme, after: Programme) -> Iterator[Difference]:
    was = {each.id: each for each in getattr(before, part)}
    for each in getattr(after, part):
        earlier = was.get(each.id)
        if earlier is None:
            yield Difference(part, each.id, "added")
        elif earlier != each:
            yield Difference(part, each.id, *_named(earlier, each))


def _named(before: Entry | SurveyWave, after: Entry | SurveyWave) -> tuple[str, str]:
    if (renamed := getattr(after, "renamed", None)) is not None:
        return "renamed", f"to {renamed}"
    if before.retired != after.retired:
        return ("retired", "") if after.retired else ("returned", "")
    names = [name for name in type(after).model_fields if getattr(before, name) != getattr(after, name)]
    shown = (f"{name} {_shown(getattr(before, name))} to {_shown(getattr(after, name))}" for name in names)
    return "changed", ", ".join(shown)


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_shown, value))}]"
    if hasattr(value, "model_dump"):
        return ", ".join(f"{name} {_shown(each)}" for name, each in value)
    return str(value)
