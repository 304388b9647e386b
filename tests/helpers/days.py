"""Days as the people of a programme count them: near midnight the day in UTC is another one than theirs."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Rome")  # of every programme that is shipped, and of the tests' own


def today(now: datetime | None = None) -> date:
    """The local day of that moment, or of this one."""
    return (now or datetime.now(UTC)).astimezone(ZONE).date()
