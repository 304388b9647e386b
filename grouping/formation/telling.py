"""Tables of an answer for the terminal: its figures, its groups, and the people who wait.

Invariant: a cell of several lines is a group of texts, one for each line, so that the terminal treats a name in it like any other text.
"""

from collections import Counter
from collections.abc import Iterable

from rich.console import Group
from rich.table import Table

from grouping.formation.explaining import GroupExplained, PersonExplained
from grouping.formation.measuring import Measured


def figures(measured: Measured, groups: int, waiting: int) -> Table:
    """One line for each figure, in the order in which answers are compared."""
    shown = Table(box=None, show_header=False)
    for name, value in (
        ("placed", f"{measured.placed} in {groups} groups, {waiting} wait"),
        ("longest wait of the placed", f"{max(measured.waiting, default=0)} days"),
        ("diversity", _diversity(measured)),
        ("wanted pairs together", str(measured.together)),
        ("sizes", " ".join(f"{number}x{size}" for size, number in sorted(Counter(measured.sizes).items()))),
        ("ways there", f"{measured.km:,.0f} km"),
    ):
        shown.add_row(name, value)
    return shown


def _diversity(measured: Measured) -> str:
    if not measured.mixed:
        return "nobody sits in a mixed group"
    return f"{measured.diversity:.4f} of at most {measured.bound:.4f} ({measured.gap:.2%} less)"


def groups(told: Iterable[GroupExplained], attributes: Iterable[str]) -> Table:
    """Score of each group by attribute, and the reasons for its slot, place and facilitator."""
    names = list(attributes)
    shown = Table(
        "group",
        "when and where",
        "members",
        "diversity",
        *names,
        "pairs",
        "km",
        "why there",
        show_lines=True,
    )
    for each in told:
        group = each.group
        of = f" of {each.company}" if each.company else ""
        shown.add_row(
            group.id,
            Group(group.slot, group.place, group.facilitator),
            f"{len(group.members)}{of}",
            f"{each.diversity:.3f}",
            *(f"{each.parts.get(name, 0):.3f}" for name in names),
            str(each.together),
            f"{each.km:.1f}",
            Group(*each.why),
        )
    return shown


def waiting(told: Iterable[PersonExplained]) -> Table:
    """Reasons of each person who waits, and the changes that would help."""
    shown = Table("waits", "days", "why", "what would help", "kept from the groups by", show_lines=True)
    for each in told:
        shown.add_row(
            each.person.id,
            str(each.person.waiting_days),
            Group(*each.reasons),
            Group(*(each.helps or ["nothing that is known"])),
            Group(*(f"{number}: {what}" for what, number in each.hindrances.items())),
        )
    return shown
