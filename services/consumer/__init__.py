"""Consuming events so that each takes effect once: declare what you handle, give a function or a projection, and a place to keep marks.

Invariant: this package imports nothing of ours but the contracts and itself, so that a partner can stand on it as we do.
"""

from services.consumer.declare import NotYet, Projection, Reactions, Rows, Spoiled, on
from services.consumer.taking import Desk, Effect, Letter, Mark, Parked, Tally, Turn, take

__all__ = [
    "Desk", "Effect", "Letter", "Mark", "NotYet", "Parked", "Projection", "Reactions", "Rows", "Spoiled", "Tally", "Turn", "on", "take",
]  # fmt: skip
