"""After a restore: surveys get the links that were sent since the backup, so that those links open what they did."""

from typing import Any

from services.contracts import Event
from services.contracts.sessions import SurveyLinked
from services.events.delivery.declare import Reactions
from services.operations.replay import replay
from services.runtime.service import Service
from services.store.work import Work
from sessions.domain import Status, Survey

replays = Reactions()


@replays.on(SurveyLinked)
async def restore_the_link(event: Event[SurveyLinked], work: Work) -> None:
    """Take the digest of the newest token; a survey that the database lacks, or that was dropped, needs none."""
    survey: Any = await work.find(Survey, event.subject)
    if survey is not None and survey.status is not Status.DROPPED:
        survey.apply(event.data, event.time)


async def restore_links(service: Service) -> None:
    """Apply the events that the restore brought back."""
    await replay(replays, service)
