"""Refusals of a file that is well formed and cannot be meant: waves that nobody reaches, meetings past the end,
coordinates that are swapped.

Invariant: only a file is judged here, never a programme that was published. A new rule of ours stops no service that already runs.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from services.programmes.model import Municipality, Programme, great_circle_km

ITALIAN = ("Europe/Rome", "Europe/San_Marino", "Europe/Vatican")
LATITUDES, LONGITUDES = (
    (35.2, 47.2),
    (6.5, 18.7),
)  # of Italy, from Lampedusa to the Brenner, from Bardonecchia to Otranto
FARTHEST = 500.0  # km between two municipalities of one programme: people of one group meet every other week
Mistake = tuple[Sequence[str | int], str]  # the path in the file, and the fault


def implausible(file: Programme) -> Mistake | None:
    """Return the first mistake, or None."""
    return next(_mistakes(file), None)


def _mistakes(file: Programme) -> Iterator[Mistake]:
    yield from _marked(file)
    yield from _periods(file)
    yield from _waves(file)
    yield from _map(file)
    yield from _renamed(file)


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
    for at, each in enumerate(file.surveys):
        due = file.intake.opens + timedelta(days=each.due_days)
        if due > file.ends and not each.after_end:
            fault = f"{each.id} is due on {due} at the earliest, after the end ({file.ends}); if that is meant, say after_end = true"
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
