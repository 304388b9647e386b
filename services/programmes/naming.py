"""The check that what is begun anew names entries that take something new.

Invariant: an entry that somebody named before may be named again by them, retired or not, so that an edit of something else is possible.
"""

from collections.abc import Collection, Iterable

from services.kernel import Refusal, Refused
from services.programmes.model import Entry, Programme

NOUNS = {"partners": "partner", "slots": "slot", "municipalities": "municipality"}


def refuse_unless_active(rules: Programme, part: str, ids: Iterable[str], before: Collection[str] = ()) -> None:
    """Refuse ids of this part (`partners`, `slots`, `municipalities`) that the programme never had, as no-such-{noun}, or that are retired
    and not named `before`, as {noun}-retired."""
    find = {"partners": rules.partner, "slots": rules.slot, "municipalities": rules.municipality}[part]
    found: dict[str, Entry | None] = {each: find(each) for each in sorted(ids)}
    noun = NOUNS[part]
    if unknown := [id for id, entry in found.items() if entry is None]:
        raise Refused(f"no-such-{noun}", f"{', '.join(unknown)}: no {noun} of {rules.id}.", Refusal.INVALID)
    if gone := [id for id, entry in found.items() if entry is not None and entry.retired and id not in before]:
        raise Refused(f"{noun}-retired", f"{', '.join(gone)}: retired from {rules.id}, and takes nothing new.")
