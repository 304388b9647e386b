"""Registers of erased persons in other backups: whoever was erased by then stays erased.

A register is kept as a small backup that holds these entries alone; any backup will do as well.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.operations.backup.sources import Source, check


@dataclass(frozen=True, slots=True)
class Registers:
    """Erased persons, as `programme/person`. `until`: the time up to which this is everybody; None without any register."""

    erased: frozenset[str] = frozenset()
    until: datetime | None = None


def erased_in(backups: Iterable[Source]) -> Registers:
    """Collect the erased persons of all services of these backups. Misconfigured or Damaged for a bad one."""
    # Checked as a whole: a register that lost an entry would let an erased person come back.
    checked = [check(each) for each in backups]
    erased = frozenset[str]().union(*(each.erased for each in checked))
    return Registers(erased, max((each.manifest.made for each in checked), default=None))
