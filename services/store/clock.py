"""The clock that stored documents use.

Invariant: a moment has the precision of BSON dates (milliseconds), so that what is read back equals what was written.
"""

from datetime import UTC, datetime


def now_utc() -> datetime:
    """Return the present moment in UTC, cut to milliseconds."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
