"""Consuming events so that each takes effect once: declare what you handle, give a function or a projection, and a place to keep marks.

Invariant: this package imports nothing of ours but the contracts and itself, so that a partner can stand on it as we do.
"""

from services.consumer.declare import NotYet, Projection, Reactions, Rows, Spoiled, on
from services.consumer.desk import Dead, Desk, Effect, Letter, Mark, Parked, Tally, Turn, key_of
from services.consumer.taking import take

__all__ = [
    "Dead", "Desk", "Effect", "Letter", "Mark", "NotYet", "Parked", "Projection", "Reactions", "Rows", "Spoiled", "Tally", "Turn",
    "key_of", "on", "take",
]  # fmt: skip
