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
from services.events.delivery.declare import Deferred, Projection, Reactions, Rows, on
from services.events.delivery.state import (
    BatchResult,
    ConsumerState,
    Dead,
    Effect,
    Mark,
    Parked,
    ParkedStatus,
    Record,
    Tally,
    key_of,
)
from services.events.delivery.take import take
from services.kernel import NotYet

# Earlier public names, for programs that import them.
Desk = ConsumerState  # language: kept
Letter = Record  # language: kept
Spoiled = Deferred  # language: kept
Turn = BatchResult  # language: kept

__all__ = [
    "BatchResult",
    "Consumer",
    "ConsumerState",
    "Dead",
    "DeadLetter",
    "Deferred",
    "Desk",  # language: kept
    "Effect",
    "Feed",
    "FeedStopped",
    "Lag",
    "Letter",  # language: kept
    "Mark",
    "Mongo",
    "NotYet",
    "Parked",
    "ParkedStatus",
    "Projection",
    "Reactions",
    "Record",
    "Rows",
    "Spoiled",  # language: kept
    "Sqlite",
    "Store",
    "Tally",
    "Transaction",
    "Turn",  # language: kept
    "key_of",
    "main",
    "on",
    "take",
]  # fmt: skip
