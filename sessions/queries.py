"""Reads that answer a route. They change no aggregate; a read of a person's data is in their access log first."""

from collections.abc import Collection
from datetime import date

from pydantic import AwareDatetime, BaseModel

from services.contracts.enrolment import Purpose
from services.kernel import Refusal, Refused
from services.programmes import Uses, counted_uses
from services.store.mongo import Store
from services.store.work import Work
from sessions.domain import Meeting, Roster, Status, Survey, digest, led_by


class Roll(BaseModel):
    """A meeting and the people to call: the members of its date. `present` is unknown until the roll was called."""

    session: str
    group: str
    number: int
    starts: AwareDatetime
    place: str
    held: bool
    members: list[str]
    present: list[str] | None = None
    version: int


async def opened(work: Work, session: str, facilitator: str | None) -> tuple[Meeting, Roster, list[str]]:
    """A meeting with its group's roster and the members of its day, for this facilitator, or for an operator (None). Logged as an access
    for each of them. Refused("no-such-session", 404) also for the group of another facilitator."""
    meeting = await work.peek(Meeting, session)
    roster = await work.peek(Roster, meeting.group) if meeting is not None else None
    meeting, roster = led_by(facilitator, session, meeting, roster, work.rules.day_of(work.now))
    members = roster.members_on(meeting.day)
    work.reads_for(f"session {meeting.id}")
    work.note_access(*members)
    return meeting, roster, members


async def open_roll(work: Work, session: str, facilitator: str | None) -> Roll:
    """The roll of a meeting, as `opened` opens it."""
    meeting, _, members = await opened(work, session, facilitator)
    return Roll(
        session=meeting.id,
        group=meeting.group,
        number=meeting.number,
        starts=meeting.starts,
        place=meeting.place,
        held=meeting.held,
        members=members,
        present=[worker for worker in members if meeting.roll.get(worker)] if meeting.held else None,
        version=work.version(meeting),
    )


class PlannedSurvey(BaseModel):
    """A survey of a person and its due date, without answers."""

    instrument: str
    wave: str
    due: date
    status: Status


async def list_surveys(work: Work, worker: str) -> list[PlannedSurvey]:
    """The surveys of a person by due date. Logged as an access, unless there is none. Refused("no-such-worker", 404)."""
    surveys = await work.browse(Survey, worker=worker)
    if not surveys and not await work.knows(worker):
        raise Refused("no-such-worker", f"There is no worker {worker}.", Refusal.NOT_FOUND)
    if surveys:
        work.reads_for("surveys")
        work.note_access(worker)
    shown = [PlannedSurvey(**each.model_dump(include={"instrument", "wave", "due", "status"})) for each in surveys]
    return sorted(shown, key=lambda each: (each.due, each.wave, each.instrument))


class Linked(BaseModel):
    """The survey that a personal link opens, and its person."""

    programme: str
    survey: str
    worker: str


async def survey_of_link(store: Store, programmes: Collection[str], token: str) -> Linked | None:
    """The survey whose newest link has this token, in one of these programmes; None when there is none."""
    where = {"programme": {"$in": sorted(programmes)}, "state.link": digest(token)}
    found = await store[Survey.noun].find_one(where, {"programme": 1, "state.id": 1, "state.worker": 1})
    if found is None:
        return None
    return Linked(programme=found["programme"], survey=found["state"]["id"], worker=found["state"]["worker"])


async def linked_survey(work: Work, survey: str) -> Survey:
    """The survey of a personal link, which is open or was answered. Refused("no-such-link", 404) when it was erased meanwhile,
    ("no-consent") when the person does not consent any more, ("not-open"), or ("closed", 410) after the last day of the link. The person
    reads their own survey, so no access is logged."""
    found = await work.peek(Survey, survey)
    if found is None:
        raise Refused("no-such-link", "This link is not valid any more.", Refusal.NOT_FOUND)
    if found.status is Status.SUBMITTED:
        return found
    if not (await work.peek_consents(found.worker)).allow(Purpose.RESEARCH):
        raise Refused("no-consent", f"Worker {found.worker} has not consented to research.")
    if found.status is not Status.INVITED:
        raise Refused("not-open", f"Survey {found.id} is not open.")
    if not found.opens_by_link(work.rules.day_of(work.now)):
        raise Refused("closed", f"The link to survey {found.id} ended on {found.until}.", Refusal.GONE)
    return found


async def uses(work: Work) -> Uses:
    """Count the groups that meet in each slot, and the surveys of each wave by their state."""
    groups = [("slots", each.slot, "groups") for each in await work.browse(Roster)]
    surveys = [("surveys", f"{each.wave}/{each.instrument}", each.status.value) for each in await work.browse(Survey)]
    return counted_uses([*groups, *surveys])
