"""Which feeds are tried alone after a failure, and which wait."""

from notifications.feed_failures import FIRST, LONGEST, FeedFailures

GOOD, BAD = ("one", "cgil"), ("two", "bad")


async def test_feeds_that_failed_together_are_tried_alone_and_none_waits() -> None:
    failures = FeedFailures()
    failures.failed([GOOD, BAD])
    assert failures.suspects(GOOD)
    assert failures.suspects(BAD)
    assert not failures.waits(GOOD)
    assert not failures.waits(BAD)


async def test_one_that_fails_alone_waits_and_one_that_succeeds_is_free() -> None:
    failures = FeedFailures()
    failures.failed([GOOD, BAD])
    failures.succeeded([GOOD])
    failures.failed([BAD])
    assert not failures.suspects(GOOD)
    assert failures.waits(BAD)
    assert failures.suspects(BAD), "when its time has come it is tried alone again"
    failures.succeeded([BAD])
    assert not failures.waits(BAD)
    assert not failures.suspects(BAD)


async def test_it_waits_longer_each_time_and_never_longer_than_the_longest() -> None:
    failures = FeedFailures()
    pauses = [failures.failed([BAD]) for _ in range(15)]
    assert pauses[:3] == [FIRST, 2 * FIRST, 4 * FIRST]
    assert pauses[-1] == LONGEST
