"""The rule that decides what a partner may know of a person whom it referred. Its feed and its desk ask this rule alone.

Invariants: nothing is told but the types that the programme's agreement names, of a person who consents to feedback and to participate.
A date that is told is the programme's local day.
"""

from services.programmes.model import Programme


def agreed_with(partner: str, rules: Programme) -> frozenset[str]:
    """Return the event types of the feed that the programme's agreement with this partner names; none when it has no feed."""
    known = rules.partner(partner)
    return frozenset(f"it.amalavoro.feed.{name.value}.v1" for name in (known.feed if known else None) or ())


def may_know(partner: str, rules: Programme, consents: bool | None) -> frozenset[str]:
    """Return the event types of the feed that this partner may know of a person. `consents`: to feedback and to participate, of a person
    who was not erased."""
    return agreed_with(partner, rules) if consents else frozenset()
