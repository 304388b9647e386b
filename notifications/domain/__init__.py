"""Rules of messages to people (`people`) and of ledgers for partners (`partners`). The two share the person's id alone."""

from notifications.domain.partners import CLOSING, Fact, Feed, LedgerEntry, ReferredPerson
from notifications.domain.people import (
    TOLD_WITHIN,
    About,
    BookedInterview,
    GroupCalendar,
    Message,
    PlannedMeeting,
    Recipient,
    Seat,
    Status,
    SurveyLink,
    Venue,
    sealed_as,
)

__all__ = [
    "CLOSING", "TOLD_WITHIN", "About", "BookedInterview", "Fact", "Feed", "GroupCalendar", "LedgerEntry", "Message", "PlannedMeeting",
    "Recipient", "ReferredPerson", "Seat", "Status", "SurveyLink", "Venue", "sealed_as",
]  # fmt: skip
