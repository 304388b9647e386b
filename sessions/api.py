"""The routes of sessions: parse, authorise, call, answer."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from services.contracts.base import Id, Slug
from services.contracts.leading import leads_from, may_see
from services.identity.auth import Role, Who, allowed
from services.kernel import Refusal, Refused
from services.web import Body, Moment, etag
from services.web.run import Reader, Run
from sessions import commands as do
from sessions import queries
from sessions.domain import Meeting
from sessions.leading import leads_of

router = APIRouter()
Leader = Annotated[Who, allowed(Role.FACILITATOR, Role.OPERATOR, own={Role.FACILITATOR: "the groups that they lead"})]
Wave = Annotated[str, StringConstraints(pattern=r"^T[0-9]$")]
Answer = Annotated[float, Field(strict=True)]


class Act(Body):
    """A request that may carry its time in the world, `at`; without it, the time is the one that the route states."""

    at: Moment | None = Field(default=None, description="when it happened in the world, never in the future")


class Session(BaseModel):
    """A meeting of a group; `starts` is local time with its offset. The counts are null until it was held."""

    model_config = ConfigDict(extra="ignore")
    session: str
    group: str
    number: int
    starts: AwareDatetime
    place: str
    held: bool = False
    cancelled: bool = False
    present: int | None = None
    absent: int | None = None


@router.get("/groups/{group}/sessions")
async def sessions(group: Id, read: Reader, who: Leader) -> list[Session]:
    """The calendar of a group, in order, without the meetings after a conclusion. A facilitator has their own groups only.
    404 no-such-group."""
    led = await read.row("leads", group)
    if led is None:
        raise _no_group(group)
    rows = await read.rows("calendar", {"group": group})
    if (facilitator := _facilitator(who)) is not None:
        rows = await _theirs(group, rows, facilitator, read)
    found = [Session(**{**row, "starts": _local(row["starts"], read)}) for row in rows if "session" in row]
    last = led.get("concluded")
    meeting = (each for each in found if last is None or read.rules.day_of(each.starts).isoformat() <= last)
    return sorted(meeting, key=lambda each: each.number)


async def _theirs(group: str, rows: list[dict[str, Any]], facilitator: str, read: Reader) -> list[dict[str, Any]]:
    """The rows that this facilitator of the group may see. Refused("no-such-group") for whoever leads it neither today nor later."""
    today, leads = read.rules.day_of(datetime.now(UTC)), (await leads_of(read, [group]))[group]
    if not leads_from(leads, facilitator, today):
        raise _no_group(group)
    days = ((row, read.rules.day_of(row["starts"])) for row in rows if "starts" in row)
    return [row for row, day in days if may_see(leads, facilitator, day, today)]


def _no_group(group: str) -> Refused:
    return Refused("no-such-group", f"There is no group {group}.", Refusal.NOT_FOUND)


def _facilitator(who: Who) -> str | None:
    return who.subject if who.role is Role.FACILITATOR else None


def _local(moment: datetime, read: Reader) -> datetime:
    return moment.astimezone(read.rules.zone)


@router.get("/sessions/{session}")
async def roll(session: Id, run: Run, who: Leader, response: Response) -> queries.Roll:
    """A meeting with the members of its date. The read is written to their access logs. A facilitator has their own groups only.
    404 no-such-session."""
    found = await run.query(queries.open_roll, session, _facilitator(who))
    response.headers["ETag"] = etag(found.version)
    return found


class Present(Act):
    """The members who were present; every other member of the day was absent."""

    present: list[Id] = Field(max_length=200)


@router.put("/sessions/{session}/roll-call", status_code=204)
async def roll_call(session: Id, body: Present, run: Run, who: Leader) -> None:
    """Record who was present; a repeat corrects. A facilitator has their own groups only. 404 no-such-session · 409 not-yet-held,
    out-of-order · 412 changed meanwhile (If-Match) · 422 not-a-member."""
    present = frozenset(body.present)
    command = do.RollCall(session=session, present=present, facilitator=_facilitator(who), at=body.at)
    await run(do.roll_call, command, edits=(Meeting, session))


class Answers(Act):
    """Answers to an instrument: a number for each item."""

    answers: dict[Slug, Answer] = Field(min_length=1, max_length=200, examples=[{"i1": 3}])


@router.put("/workers/{worker}/surveys/{instrument}/{wave}", status_code=204)
async def submission(
    worker: Id,
    instrument: Slug,
    wave: Wave,
    body: Answers,
    run: Run,
    who: Annotated[Who, allowed(Role.WORKER, Role.OPERATOR)],
) -> None:
    """Submit a survey: the worker's own, or an operator from a paper form. 404 no-such-survey · 409 no-consent, not-open,
    out-of-order, submitted-already · 422 bad-answer."""
    command = do.SubmitSurvey(worker=worker, instrument=instrument, wave=wave, answers=body.answers, at=body.at)
    await run(do.submit_survey, command)


@router.get("/workers/{worker}/surveys")
async def surveys(
    worker: Id, run: Run, who: Annotated[Who, allowed(Role.WORKER, Role.OPERATOR)]
) -> list[queries.PlannedSurvey]:
    """The surveys of a person with their due dates, never the answers. The read is written to their access log."""
    return await run.query(queries.list_surveys, worker)
