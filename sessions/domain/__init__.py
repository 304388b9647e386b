"""Meetings of groups (`meetings`) and surveys of people (`surveys`). Nobody is asked without consent to research."""

from services.contracts.sessions import NOTICE
from sessions.domain.meetings import Meeting, Membership, Roster, led_by, meeting_id, schedule
from sessions.domain.surveys import Participant, Status, Survey, digest, survey_id

__all__ = [
    "NOTICE", "Meeting", "Membership", "Participant", "Roster", "Status", "Survey", "digest", "led_by", "meeting_id", "schedule",
    "survey_id",
]  # fmt: skip
