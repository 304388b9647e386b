"""After a restore surveys get the links that were sent since the backup, so that those links open what they did, and nobody gets another.
Meetings have the dates and places that were told, and those that were cancelled or added are so again.

Invariant: a survey or meeting that the database lacks is made here; the participant or the group takes it when the admission, or the
forming of the group, is consumed again.
"""

from services.contracts import Event
from services.contracts.sessions import SessionCancelled, SessionMoved, SessionScheduled, SurveyLinked
from services.events.delivery.declare import Reactions
from services.operations.replay import replay
from services.runtime.service import Service
from services.store.work import Work
from sessions.domain import Meeting, Status, Survey

replays = Reactions()


@replays.on(SurveyLinked)
async def restore_the_link(event: Event[SurveyLinked], work: Work) -> None:
    """Take the digest of the newest token. A survey that was dropped needs none."""
    survey = await work.find(Survey, event.subject)
    if survey is None:
        about = event.data.model_dump(include={"worker", "instrument", "wave", "due"})
        survey = Survey.model_validate({"id": event.subject, **about})
        work.add(survey)
    if survey.status is not Status.DROPPED:
        survey.apply(event.data, event.time)


@replays.on(SessionScheduled)
async def restore_the_meeting(event: Event[SessionScheduled], work: Work) -> None:
    """Make the meeting, unless the backup has it: an operator may have added it."""
    if await work.find(Meeting, event.subject) is None:
        work.add(Meeting.model_validate({"id": event.subject, **event.data.model_dump()}))


@replays.on(SessionMoved)
@replays.on(SessionCancelled)
async def restore_the_change(event: Event[SessionMoved] | Event[SessionCancelled], work: Work) -> None:
    """Move or cancel the meeting as it was told."""
    meeting = await work.find(Meeting, event.subject)
    if meeting is not None:
        meeting.apply(event.data, event.time)


async def restore_links(service: Service) -> None:
    """Apply the events that the restore brought back."""
    await replay(replays, service)
