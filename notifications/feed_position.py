"""The position of each feed on its topic."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from aiokafka import TopicPartition

from notifications.ledger import topic_of
from services.programmes import Programme, agreed_with

log = logging.getLogger(__name__)
UNREADABLE = (
    ValueError,
    KeyError,
    TypeError,
)  # of data that is not of its form; pydantic's and orjson's are ValueErrors


class TailLost(Exception):
    """A topic no longer has records that it had acknowledged."""


@dataclass(slots=True)
class FeedPosition:
    """The last sequence of a ledger that is on its topic, or the reason why no more is put there (`stopped`)."""

    programme: str
    partner: str
    last: int = 0
    end: int = 0  # the offset behind `last` on the topic
    stopped: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """The programme and the partner."""
        return self.programme, self.partner

    @property
    def partition(self) -> TopicPartition:
        """The one partition of the partner's topic."""
        return TopicPartition(topic_of(self.partner), 0)

    def stop(self, reason: str) -> None:
        """Deliver no more of this ledger in this life of the publisher."""
        self.stopped = reason
        log.error("feed stopped", extra={"partner": self.partner, "reason": reason})

    def move_to(self, end: int) -> None:
        """Take the end offset of the topic. Raises TailLost when it was further before."""
        if end < self.end:
            raise TailLost(f"{self.partition.topic} ends at {end}, not {self.end}")
        self.end = end


def feeds_of(programmes: Iterable[Programme]) -> list[FeedPosition]:
    """One position, at the beginning, for each partner with an agreement. A partner belongs to one programme."""
    return [
        FeedPosition(rules.id, each.id)
        for rules in programmes
        for each in rules.partners
        if agreed_with(each.id, rules)
    ]
