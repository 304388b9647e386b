"""Registers of erased persons in other backups: whoever was erased by then stays erased."""

from collections.abc import Iterable
from pathlib import Path

from services.operations.backup.documents import decode, read
from services.operations.backup.manifest import check, file_of


def erased_in(backups: Iterable[Path]) -> frozenset[str]:
    """Collect the erased persons of all services of these backups, as `programme/person`. Misconfigured or Damaged for a bad one."""
    found: set[str] = set()
    for folder in backups:
        # Checked as a whole: a register that lost an entry would let an erased person come back.
        for service, part in check(folder).parts.items():
            if "erased" in part.collections:
                found |= {decode(each)["_id"] for each in read(file_of(folder, service, "erased"))}
    return frozenset(found)
