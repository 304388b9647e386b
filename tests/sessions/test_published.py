"""Each event type that sessions publishes is applied by an aggregate, or is exempt for a stated reason."""

from services.contracts import catalogue
from sessions.domain import Meeting, Participant, Survey

EXEMPT = {
    "SessionScheduled": "the meeting is created with the date and the place",
    "AttendanceRecorded": "the roll of the meeting holds it",
    "SurveyScored": "scores are published and not kept",
}


def test_each_own_event_type_is_applied_or_exempt_by_name() -> None:
    own = {kind.__name__ for type, kind in catalogue().items() if type.startswith("it.amalavoro.sessions.")}
    applied = {kind.__name__ for each in (Meeting, Participant, Survey) for kind in each.appliers}
    assert own == applied | EXEMPT.keys()
    assert not applied & EXEMPT.keys()
