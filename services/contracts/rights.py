"""Events about the rights of people over their data."""

from enum import StrEnum

from services.contracts.base import Restricted


class Opening(StrEnum):
    """The reason for which an administrator opens the record of a person."""

    PERSON_ASKED = "person-asked"
    COMPLAINT = "complaint"
    FAULT = "fault"
    AUTHORITY = "authority"
    SAFETY = "safety"


class RecordOpened(Restricted):
    """An administrator opened the record of the worker (the subject) for this reason. The person is told of it."""

    type = "it.amalavoro.enrolment.record.opened.v1"
    topic = "ama.enrolment.restricted"
    readers = ("enrolment", "notifications")
    person = "subject"
    reason: Opening
