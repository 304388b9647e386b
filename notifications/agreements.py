"""Agreements of a programme with its partners: the event types that a partner's feed may carry."""

from services.programmes import Programme


def agreed_with(partner: str, rules: Programme) -> frozenset[str]:
    """The event types of the feed that the programme's agreement with this partner names; none when it has no feed."""
    known = rules.partner(partner)
    return frozenset(f"it.amalavoro.feed.{name.value}.v1" for name in (known.feed if known else None) or ())
