"""Lacks of people who wait, as facts and as sentences. A page in another language makes its own sentences of the facts."""

from typing import NamedTuple


class Lack(NamedTuple):
    """Something that so many `people` wait for. `slot` and `place`: where most of them could come. `needed`: the least members of a group.
    `colleagues`: of `company`, `total` in all, of whom at most `seated` fit into `groups`; `more` would let the others sit.
    `alone`: nobody else of their `kind`, which is these `levels` by attribute; one more would help, if `helps`."""

    what: str
    people: int
    slot: str = ""
    place: str = ""
    needed: int = 0
    company: str = ""
    total: int = 0
    groups: int = 0
    seated: int = 0
    most: int = 0
    more: int = 0
    kind: str = ""
    levels: tuple[tuple[str, str], ...] = ()
    helps: bool = False


def lack_sentence(lack: Lack) -> str:
    """A sentence for a lack."""
    where = f"{lack.slot} at {lack.place}"
    wait = f"{lack.people} {'person waits' if lack.people == 1 else 'people wait'}"
    match lack.what:
        case "load":
            return f"no facilitator may lead one group more: {lack.people} people wait for one"
        case "unreachable":
            return f"no slot or no place that they can reach: {lack.people} people wait"
        case "room":
            return f"no room free on {where}: {wait} for it"
        case "people":
            return f"too few for a group on {where}: {wait} for it, {lack.needed} are needed"
        case "facilitator":
            return f"no facilitator free on {where} within reach: {wait} for it"
        case "colleagues":
            fits = (
                f"at most {lack.seated} of them in {lack.groups} of {lack.needed} to {lack.most}"
                if lack.groups
                else "no group"
            )
            return (
                f"{lack.company}: {lack.total} colleagues make {fits}; {lack.people} wait, and sit if {lack.more} more come"
                " or if they sit with others too"
            )
    comes = ", and sits if one more comes who can be there when and where they can" if lack.helps else ""
    return f"alone of their kind ({lack.kind}): {wait}{comes}"
