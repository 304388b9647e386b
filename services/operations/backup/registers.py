"""Registers of erasures and refusals in other backups: whoever was erased by then stays erased, and what was refused stays refused.

A register is kept as a small backup that holds these alone; any backup will do as well. It holds ids, purposes and times, and no identity.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.operations.backup.sources import Source, check
from services.store.consents import Decision


@dataclass(frozen=True, slots=True)
class Registers:
    """Erased persons, and refusals by person, each as `programme/person`. `until`: the time up to which these are all erasures, and
    `refusals_until` all refusals; None without any register that has them."""

    erased: frozenset[str] = frozenset()
    until: datetime | None = None
    refusals: Mapping[str, frozenset[Decision]] = field(default_factory=dict)
    refusals_until: datetime | None = None


def erased_in(backups: Iterable[Source]) -> Registers:
    """Collect erasures and refusals from all services of these backups. Misconfigured or Damaged for a bad one."""
    # Checked as a whole: a register that lost an entry would let an erased person come back.
    checked = [check(each) for each in backups]
    erased = frozenset[str]().union(*(each.erased for each in checked))
    refusals: dict[str, frozenset[Decision]] = {}
    for each in checked:
        for person, refused in each.refusals.items():
            refusals[person] = refusals.get(person, frozenset()) | refused
    until = max((each.manifest.made for each in checked), default=None)
    told = max((each.manifest.made for each in checked if each.tells_refusals), default=None)
    return Registers(erased, until, refusals, told)
