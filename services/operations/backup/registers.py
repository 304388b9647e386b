"""The registers of the erased in other backups: whoever was erased by then stays erased."""

from collections.abc import Iterable
from pathlib import Path

from services.operations.backup.documents import decode, read
from services.operations.backup.manifest import check, file_of


def of(backups: Iterable[Path]) -> frozenset[str]:
    """By `programme/person`, over all their services. Raises Misconfigured or Damaged for one that is none."""
    found: set[str] = set()
    for folder in backups:
        for service, part in check(folder).parts.items():
            if "erased" in part.collections:
                found |= {decode(each)["_id"] for each in read(file_of(folder, service, "erased"))}
    return frozenset(found)
