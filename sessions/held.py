"""Data that sessions holds of a person, as it is told to them: groups, attendance, and questionnaires with their answers."""

import orjson

from services.store.held import Held, Told
from services.store.work import Work
from sessions.domain import Meeting, Participant, Roster, Survey

held = Held()
LINK = {"id", "worker", "link", "answers"}  # the digest of a link belongs to whoever has the link


@held.of(Participant)
async def tell_participant(person: str, work: Work) -> Told:
    """Since when they are asked, and their groups."""
    found = await work.peek(Participant, person)
    return [found.model_dump(mode="json", exclude={"id"})] if found is not None else []


@held.of(Roster)
async def tell_memberships(person: str, work: Work) -> Told:
    """Their own memberships; other members are not told."""
    return [
        {"group": roster.id} | each.model_dump(mode="json", exclude={"worker"})
        for roster in await work.peek_all(Roster, await _groups(person, work))
        for each in roster.members
        if each.worker == person
    ]


@held.of(Meeting)
async def tell_attendance(person: str, work: Work) -> Told:
    """Their own mark of each meeting whose roll was called."""
    groups = await _groups(person, work)
    meetings = await work.browse(Meeting, group=groups) if groups else []
    return [
        {"group": each.group, "number": each.number, "starts": each.starts.isoformat(), "present": each.roll[person]}
        for each in meetings
        if person in each.roll
    ]


@held.of(Survey)
async def tell_surveys(person: str, work: Work) -> Told:
    """Each questionnaire with its dates and, once given, the answers in the clear."""
    told = []
    for survey in await work.browse(Survey, worker=person):
        each = survey.model_dump(mode="json", exclude=LINK)
        if survey.answers is not None:
            each["answers"] = orjson.loads(
                await work.unseal(person, f"{survey.instrument}/{survey.wave}", survey.answers)
            )
        told.append(each)
    return told


async def _groups(person: str, work: Work) -> list[str]:
    found = await work.peek(Participant, person)
    return found.groups if found is not None else []
