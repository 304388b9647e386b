"""Files of a programme as they are edited, one after the other, and the look-ups that must find every id."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.programmes import Programme

BEFORE = (Path(__file__).parent / "files" / "before.toml").read_text()
TIMES = {"mon": ("monday", "10:00:00"), "tue": ("tuesday", "18:30:00"), "wed": ("wednesday", "09:00:00")}
TIMES |= {"tue-two": TIMES["tue"]}
TOWNS = {"a": (45.60, 9.20), "b": (45.61, 9.21), "c": (45.62, 9.22), "d": (45.90, 9.00)}
PARTNERS, WAVES, NOTICES = ("one", "two", "three"), ("T0", "T1", "T2"), ("n1", "n2", "n3")


@dataclass
class Draft:
    """A file as it is edited."""

    slots: frozenset[str]
    towns: frozenset[str]
    partners: frozenset[str]
    waves: frozenset[str]
    notice: str
    renamed: dict[str, str] = field(default_factory=dict)
    moved: bool = False  # a town and a slot get another meaning

    def text(self) -> str:
        lines = [line for line in BEFORE.split("\n\n[[", 1)[0].split("\n") if line]
        head = "\n".join(lines).replace('"2026-09"', f'"{self.notice}"')
        parts = ["[renamed]", *(f'{old} = "{new}"' for old, new in self.renamed.items())] if self.renamed else []
        for each in sorted(self.partners):
            parts += ["[[partners]]", f'id = "{each}"', 'name = "Uno"', 'roles = ["referrer"]']
        for each in sorted(self.slots):
            day, at = ("sunday", "01:00:00") if self.moved else TIMES[each]
            parts += ["[[slots]]", f'id = "{each}"', f'weekday = "{day}"', f"at = {at}"]
        for each in sorted(self.towns):
            lat, lon = TOWNS[each]
            parts += ["[[municipalities]]", f'id = "{each}"', 'name = "Uno"']
            parts += [f"lat = {lat + self.moved:.2f}", f"lon = {lon}"]
        for each in sorted(self.waves):
            parts += ["[[surveys]]", f'wave = "{each}"', 'instrument = "who5"', "due_days = 10"]
        return "\n".join([head, *parts, ""])


def finds(rules: Programme) -> dict[str, Callable[[str], Any]]:
    waves = {each.id: each for each in rules.surveys}
    return {
        "slots": rules.slot,
        "municipalities": rules.municipality,
        "partners": rules.partner,
        "surveys": waves.get,
        "notice": rules.notice_of,
    }


def named_in(rules: Programme) -> set[tuple[str, str]]:
    """Every id that somebody could name in this version."""
    entries = {
        (part, each.id) for part in ("partners", "slots", "municipalities", "surveys") for each in getattr(rules, part)
    }
    return entries | {("notice", each.version) for each in (rules.notice, *rules.notices)}
