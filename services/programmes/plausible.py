"""Refusals of a file that is well formed and cannot be meant: waves that nobody reaches, meetings past the end,
coordinates that are swapped, texts, numbers and dates that no engine, calendar or page can hold, lists without an end.

Every list has a bound in `MOST`. One programme costs the services and the bus so much and no more, whatever its file says.

Invariant: only a file is judged here, never a programme that was published. A new rule of ours stops no service that already runs.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta

from pydantic import BaseModel

from services.kernel import line
from services.programmes.model import Municipality, Programme, great_circle_km

ITALIAN = ("Europe/Rome", "Europe/San_Marino", "Europe/Vatican")
LATITUDES, LONGITUDES = (
    (35.2, 47.2),
    (6.5, 18.7),
)  # of Italy, from Lampedusa to the Brenner, from Bardonecchia to Otranto
FARTHEST = 500.0  # km between two municipalities of one programme: people of one group meet every other week
EARLIEST, LATEST = 1900, 2200  # years: calendars of mail programs hold no later ones
LONGEST = 200  # characters of a title or a name
# Entries of each list. Of those whose entries never leave, the retired ones count too (`changes`). All together fit on the bus.
MOST = {
    "partners": 100, "partners.roles": 10, "partners.feed": 10, "slots": 100, "municipalities": 500, "surveys": 40,
    "notices": 50, "notices.languages": 20, "notice.languages": 20, "targets": 100, "renamed": 200, "no_one_alone": 10,
    "services": 20, "holidays.days": 200,
}  # fmt: skip
GREATEST = 1_000_000  # of a target
TARGET = re.compile(r"[a-z][a-z0-9_-]{0,39}")  # a target's name is a field's name in MongoDB and in the event
Where = tuple[str | int, ...]
Mistake = tuple[Sequence[str | int], str]  # the path in the file, and the fault


def implausible(file: Programme) -> Mistake | None:
    """Return the first mistake, or None."""
    return next(_mistakes(file), None)


def lists_of(part: BaseModel, where: Where = ()) -> Iterator[tuple[Where, Collection[object]]]:
    """Every list and table of a programme, however deep, with its path."""
    for name, value in part:
        if isinstance(value, tuple | dict):
            yield (*where, name), value
        for at, each in enumerate(value if isinstance(value, tuple) else ()):
            if isinstance(each, BaseModel):
                yield from lists_of(each, (*where, name, at))
        if isinstance(value, BaseModel):
            yield from lists_of(value, (*where, name))


def most_at(where: Where) -> int:
    """The bound of the list at this path."""
    return MOST[".".join(each for each in where if isinstance(each, str))]


def _mistakes(file: Programme) -> Iterator[Mistake]:
    yield from _long(file)
    # Before the others, which compute with these dates.
    yield from _unholdable(file)
    yield from _marked(file)
    yield from _periods(file)
    yield from _waves(file)
    yield from _map(file)
    yield from _renamed(file)


def _long(file: Programme) -> Iterator[Mistake]:
    for where, entries in lists_of(file):
        if len(entries) > (most := most_at(where)):
            yield where, f"{len(entries)} entries, and {most} are the most"


def _unholdable(file: Programme) -> Iterator[Mistake]:
    """Dates, texts, times and targets that an engine, a calendar or a page does not hold as they are meant."""
    dates: list[tuple[Sequence[str | int], date]] = [(("starts",), file.starts), (("ends",), file.ends)]
    dates += [(("intake", "opens"), file.intake.opens), (("intake", "closes"), file.intake.closes)]
    dates += [(("surveys", at, "since"), each.since) for at, each in enumerate(file.surveys) if each.since is not None]
    for where, day in dates:
        if not EARLIEST <= day.year <= LATEST:
            yield where, f"not between the years {EARLIEST} and {LATEST}"
    yield from _texts(file)
    yield from _catalogue(file)
    for at, slot in enumerate(file.slots):
        if slot.at.microsecond:
            yield ("slots", at, "at"), "a time has no parts of a second"
    for name, number in file.targets.items():
        if not TARGET.fullmatch(name):
            yield ("targets",), f"{name[:LONGEST]!r} is no name of a target, as members or groups"
        if number > GREATEST:
            yield ("targets", name), f"more than {GREATEST:,}"


def _catalogue(file: Programme) -> Iterator[Mistake]:
    for at, each in enumerate(file.services):
        days = {name: day for name, day in each if isinstance(day, date)}
        for name, day in days.items():
            if not EARLIEST <= day.year <= LATEST:
                yield ("services", at, name), f"not between the years {EARLIEST} and {LATEST}"
        if each.valid_from and each.valid_to and each.valid_to < each.valid_from:
            yield ("services", at, "valid_to"), "before valid_from"


def _texts(file: Programme) -> Iterator[Mistake]:
    texts: list[tuple[Sequence[str | int], str]] = [(("title",), file.title), (("title_en",), file.title_en)]
    texts += [(("partners", at, "name"), each.name) for at, each in enumerate(file.partners)]
    texts += [(("municipalities", at, "name"), each.name) for at, each in enumerate(file.municipalities)]
    for name, told in file.contact or ():
        if told is not None:
            texts.append((("contact", name), told))
    for at, service in enumerate(file.services):
        texts += [(("services", at, name), told) for name, told in service if isinstance(told, str)]
    for where, text in texts:
        if len(text) > LONGEST:
            yield where, f"more than {LONGEST} characters"
        else:
            try:
                line(text)
            except ValueError as error:
                yield where, str(error)


def _marked(file: Programme) -> Iterator[Mistake]:
    """The marks that only a change of the file sets."""
    for part in ("partners", "slots", "municipalities", "surveys"):
        for at, each in enumerate(getattr(file, part)):
            for mark in ("retired", "renamed", "since"):
                if getattr(each, mark, None):
                    yield (
                        (part, at, mark),
                        f"no file says this: an entry that leaves the file is {each.id} for whoever names it",
                    )


def _periods(file: Programme) -> Iterator[Mistake]:
    if file.intake.opens < file.starts:
        yield ("intake", "opens"), f"before the programme starts ({file.starts})"
    if file.intake.closes > file.ends:
        yield ("intake", "closes"), f"after the programme ends ({file.ends})"
    last = file.starts + timedelta(days=(file.meetings - 1) * file.cadence_days)
    if last > file.ends:
        plan = f"{file.meetings} meetings, one every {file.cadence_days} days"
        yield ("meetings",), f"{plan}, last until {last} at the earliest, after the end ({file.ends})"


def _waves(file: Programme) -> Iterator[Mistake]:
    """A wave counts from the admission, so whoever is admitted last answers last."""
    for at, each in enumerate(file.surveys):
        due = file.intake.closes + timedelta(days=each.due_days)
        if due > file.ends and not each.after_end:
            fault = (
                f"{each.id} is due on {due} for whoever is admitted last ({file.intake.closes}), after the end ({file.ends}); "
                "if that is meant, say after_end = true"
            )
            yield ("surveys", at, "due_days"), fault


def _map(file: Programme) -> Iterator[Mistake]:
    for at, each in enumerate(file.municipalities):
        if file.timezone in ITALIAN and not _in_italy(each):
            yield ("municipalities", at, "lat"), f"{each.id} at {each.lat}, {each.lon} is not in Italy{_swapped(each)}"
        if (km := great_circle_km(file.municipalities[0], each)) > FARTHEST:
            yield ("municipalities", at, "lat"), f"{each.id} is {km:.0f} km from {file.municipalities[0].id}"


def _in_italy(each: Municipality) -> bool:
    return LATITUDES[0] <= each.lat <= LATITUDES[1] and LONGITUDES[0] <= each.lon <= LONGITUDES[1]


def _swapped(each: Municipality) -> str:
    within = LATITUDES[0] <= each.lon <= LATITUDES[1] and LONGITUDES[0] <= each.lat <= LONGITUDES[1]
    return ": lat and lon are swapped" if within else ""


def _renamed(file: Programme) -> Iterator[Mistake]:
    entries = {each.id for each in (*file.slots, *file.municipalities)}
    partners = {each.id for each in file.partners}
    for old, new in file.renamed.items():
        seen = [old]
        while new in file.renamed and new not in seen:
            seen.append(new)
            new = file.renamed[new]  # noqa: PLW2901  # the end of the chain is what counts
        if new in seen:
            yield ("renamed", old), f"{' to '.join([*seen, new])} is a circle"
        elif new not in entries:
            keeps = "a partner keeps its id, which is in tokens and in the name of its feed"
            yield ("renamed", old), keeps if new in partners else f"{new} is no slot and no municipality of the file"
        elif old in entries:
            yield ("renamed", old), f"{old} is still there"
