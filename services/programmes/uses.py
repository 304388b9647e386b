"""Counts of the things that name each entry of a programme, for an operator who considers a change of the file."""

from collections import Counter
from collections.abc import Iterable

Uses = dict[str, dict[str, dict[str, int]]]  # part, id of the entry, and how many of what name it


def counted_uses(named: Iterable[tuple[str, str, str]]) -> Uses:
    """Count these (part, id, what). The parts are those of the file: `partners`, `slots`, `municipalities`, `surveys`, `notices`."""
    found: Uses = {}
    for (part, id, what), number in sorted(Counter(named).items()):
        found.setdefault(part, {}).setdefault(id, {})[what] = number
    return found
