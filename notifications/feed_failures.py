"""Feeds whose topic fails, over all lives of the publisher: which are tried alone, and which wait.

Invariant: a topic that fails again and again costs the other feeds one failure now and then, more and more rarely. The topics of one
transaction fail together, and the error does not say which of them is at fault: each is then tried alone.
"""

import asyncio
from collections.abc import Collection

Feed = tuple[str, str]  # the programme and the partner
FIRST, LONGEST = 5.0, 300.0  # seconds until a feed that failed alone is tried again; they double with every failure


class FeedFailures:
    """Failures of feeds, and the time at which each is tried again. On the clock of the running loop."""

    def __init__(self) -> None:
        self._suspects: dict[Feed, int] = {}  # with the times that it failed alone
        self._until: dict[Feed, float] = {}

    def failed(self, feeds: Collection[Feed]) -> float:
        """Note that these failed together. One that failed alone waits; returns for how many seconds, 0 for several."""
        for each in feeds:
            self._suspects.setdefault(each, 0)
        if len(feeds) != 1:
            return 0.0
        (one,) = feeds
        pause = min(LONGEST, FIRST * 2 ** self._suspects[one])
        self._suspects[one] = min(self._suspects[one] + 1, 10)
        self._until[one] = _now() + pause
        return float(pause)

    def succeeded(self, feeds: Collection[Feed]) -> None:
        """Forget what was noted of these."""
        for each in feeds:
            self._suspects.pop(each, None)
            self._until.pop(each, None)

    def suspects(self, feed: Feed) -> bool:
        """True when it is to be tried alone."""
        return feed in self._suspects

    def waits(self, feed: Feed) -> bool:
        """True when it is not to be tried yet."""
        return self._until.get(feed, 0.0) > _now()


def _now() -> float:
    return asyncio.get_running_loop().time()
