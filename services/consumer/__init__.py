"""The kit for partners: consume a feed so that each entry takes effect once.

Imports kernel, contracts and `events.delivery` alone, and no framework. Partners' programs may import it; nothing else of ours does.
Invariant: the place in the feed and the effect commit in one transaction of the partner's own store.
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
