"""After a restore: surveys get the links that were sent since the backup, so that those links open what they did, and nobody gets another.

Invariant: a survey that the database lacks is made for its link; the participant takes it when the admission is consumed again.
"""

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
    """Take the digest of the newest token. A survey that was dropped needs none."""
    survey = await work.find(Survey, event.subject)
    if survey is None:
        about = event.data.model_dump(include={"worker", "instrument", "wave", "due"})
        survey = Survey.model_validate({"id": event.subject, **about})
        work.add(survey)
    if survey.status is not Status.DROPPED:
        survey.apply(event.data, event.time)


async def restore_links(service: Service) -> None:
    """Apply the events that the restore brought back."""
    await replay(replays, service)
