"""Consuming events so that each takes effect once: declare what you handle, give a function or a projection, and a place to keep marks.

Invariant: this package imports nothing of ours but the contracts and itself, so that a partner can stand on it as we do. Services
stand on `take` and bring their own store; partners stand on `Consumer`, with `Sqlite` or `Mongo`.
"""

from services.consumer.feed import Feed, FeedStopped
from services.consumer.main import main
from services.consumer.mongo import Mongo
from services.consumer.partner import Consumer, DeadLetter, Lag
from services.consumer.sqlite import Sqlite
from services.consumer.stores import Store, Transaction
from services.events.delivery.declare import Projection, Reactions, Rows, Spoiled, on
from services.events.delivery.state import BatchResult, Dead, Desk, Effect, Letter, Mark, Parked, Tally, key_of
from services.events.delivery.take import take
from services.kernel import NotYet

__all__ = [
    "BatchResult",
    "Consumer",
    "Dead",
    "DeadLetter",
    "Desk",
    "Effect",
    "Feed",
    "FeedStopped",
    "Lag",
    "Letter",
    "Mark",
    "Mongo",
    "NotYet",
    "Parked",
    "Projection",
    "Reactions",
    "Rows",
    "Spoiled",
    "Sqlite",
    "Store",
    "Tally",
    "Transaction",
    "key_of",
    "main",
    "on",
    "take",
]  # fmt: skip
