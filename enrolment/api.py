"""Routes of enrolment: parse, authorise, call, answer."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from enrolment import commands as do
from enrolment import queries
from enrolment.domain import Status, Worker
from enrolment.facts import Contact, LostWork
from services.contracts.base import CODE, Id, Slug
from services.contracts.enrolment import (
    Among,
    Contacting,
    Declining,
    How,
    Leaving,
    Purpose,
    Step,
    WorkerProfiled,
)
from services.identity.auth import Role, Who, allowed
from services.kernel import Refusal, Refused
from services.programmes import Programme
from services.web import BirthYear, Body, Day, Employer, Language, Moment, Note, Once, etag
from services.web.run import Reader, Run

router = APIRouter()
NoticeVersion = Annotated[str, StringConstraints(pattern=CODE)]
Operator = Annotated[Who, allowed(Role.OPERATOR)]
OWN_PARTNER = {Role.REFERRER: "the referrals of their own partner"}
WorkerOrOperator = Annotated[Who, allowed(Role.WORKER, Role.OPERATOR)]


class Act(Body):
    """A body with `at`: the time at which it happened, if not now."""

    at: Moment | None = Field(
        default=None, description="when it happened in the world; now when absent, never in the future"
    )


class Card(Body, Contact):
    """Identity and contact of a person, and how they want to be reached."""


class Profile(Body, LostWork):
    """Attributes by which grouping matches people, and what is known of the lost work, for the figures alone."""

    municipality: Slug
    travel_km: float = Field(
        default=15.0, gt=0, le=500, allow_inf_nan=False, description="how far they can travel, one way"
    )
    slots: Annotated[list[Slug], Once] = Field(min_length=1, max_length=50, description="weekly slots they can attend")
    gender: Annotated[str, StringConstraints(pattern=r"^[fmx]$")] | None = None
    birth_year: BirthYear | None = None
    employer: Employer | None = Field(
        default=None, description="the company that expelled them, for homogeneous groups: an id, or its VAT number"
    )
    not_before: Day | None = Field(default=None, description="held back from every group until this day")
    among: Among | None = Field(default=None, description="sits among colleagues of that company alone, or with others")
    needs_access: bool = Field(default=False, description="the place has to be step-free; why is not asked")

    def profiled(self) -> WorkerProfiled:
        """The payload of the event that publishes this profile."""
        return WorkerProfiled.model_validate(self.model_dump())


class Referral(Act):
    """A worker whom a partner refers. A referrer's own partner is taken from the token; an operator names the partner."""

    partner: Slug | None = None
    person: Card
    profile: Profile | None = None


class Referred(BaseModel):
    """The id under which the worker is found from now on."""

    worker: str


@router.post("/referrals", status_code=201)
async def referral(
    body: Referral,
    run: Run,
    who: Annotated[Who, allowed(Role.REFERRER, Role.OPERATOR, own=OWN_PARTNER)],
    response: Response,
) -> Referred:
    """Refer one worker. 403 not-your-partner, not-a-referrer · 409 out-of-order: outside the intake, partner-retired, slot-retired,
    municipality-retired · 422 no-partner,
    no-such-partner, no-referrer, no-such-slot, no-such-municipality, no-employer."""
    partner = _partner(body, run.rules, who)
    card = body.person.filled()
    profile = body.profile.profiled() if body.profile else None
    made = await run(do.refer, do.Refer(partner=partner, card=card, profile=profile, at=body.at))
    response.headers["Location"] = f"workers/{made['worker']}"
    return Referred(**made)


def _partner(body: Referral, rules: Programme, who: Who) -> str:
    """The partner that refers. Whether an operator may name it is the command's to judge."""
    partner = body.partner or who.partner
    if partner is None:
        raise Refused("no-partner", "Name the partner that refers.", Refusal.INVALID)
    if who.role is Role.REFERRER and partner != who.partner:
        raise Refused("not-your-partner", "A referrer refers for their own partner.", Refusal.FORBIDDEN)
    known = rules.partner(partner)
    if who.role is Role.REFERRER and known is not None and not known.may_refer:
        raise Refused("not-a-referrer", f"{partner} has no role in which it refers people.", Refusal.FORBIDDEN)
    return partner


class WorkerProgress(BaseModel):
    """The partner of one worker, the step that they have reached and the time of each step so far, without a name. Times of the round
    before a return stay until the step is taken again."""

    model_config = ConfigDict(extra="ignore")
    worker: str
    partner: str
    stage: Status = Status.REFERRED
    referred: AwareDatetime
    returned: AwareDatetime | None = None
    contacted: AwareDatetime | None = None
    interview: AwareDatetime | None = None
    interviewed: AwareDatetime | None = None
    admitted: AwareDatetime | None = None
    declined: AwareDatetime | None = None
    withdrawn: AwareDatetime | None = None
    waiting: AwareDatetime | None = None
    seated: Day | None = None
    left: Day | None = None


@router.get("/workers")
async def workers(
    read: Reader,
    who: Annotated[Who, allowed(Role.REFERRER, Role.OPERATOR, own=OWN_PARTNER)],
    after: Annotated[Id | None, Query(description="the last id of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    without_profile: Annotated[
        bool,
        Query(
            description="for an operator: only people who were admitted and have no profile, so that no group is proposed"
        ),
    ] = False,
) -> list[WorkerProgress] | list[queries.OwnReferral]:
    """Workers and their progress, by id. A referrer gets the referrals of their own partner: the days of those steps that the partner's
    agreement names, of people who consent to it; of all others, the day of the referral alone."""
    where: dict[str, Any] = queries.own_referrals(who.partner) if who.role is Role.REFERRER else {}
    if after is not None:
        where["worker"] = {"$gt": after}
    if without_profile and who.role is Role.OPERATOR:
        where |= queries.WITHOUT_PROFILE
    rows = [row for row in await read.rows("desk", where, limit=limit) if "worker" in row]
    if who.role is Role.REFERRER:
        consents = await read.consents([row["worker"] for row in rows])
        return [queries.own_referral(row, read.rules, consents[row["worker"]]) for row in rows]
    return [WorkerProgress(**row) for row in rows]


@router.get("/workers/{worker}")
async def person(
    worker: Id,
    run: Run,
    who: WorkerOrOperator,
    response: Response,
) -> queries.Person:
    """Data of one person. The read is written to their access log. 404 no-such-worker."""
    found = await run.query(queries.read_person, worker)
    response.headers["ETag"] = etag(found.version)
    return found


@router.put("/workers/{worker}/card", status_code=204)
async def card(worker: Id, body: Card, run: Run, who: Operator) -> None:
    """Correct identity and contact: the whole card, so a field that is left out is emptied. 404 no-such-worker · 410 erased · 412
    changed meanwhile (If-Match)."""
    await run(do.correct, do.Correct(worker=worker, card=body.filled()), edits=(Worker, worker))


@router.put("/workers/{worker}/profile", status_code=204)
async def profile(worker: Id, body: Profile, run: Run, who: Operator) -> None:
    """Replace the whole profile. 404 no-such-worker · 409 slot-retired, municipality-retired · 412 changed meanwhile (If-Match) ·
    422 no-such-slot, no-such-municipality, no-employer."""
    await run(do.describe, do.Describe(worker=worker, profile=body.profiled()), edits=(Worker, worker))


class Decision(Act):
    """Consents given or withdrawn, after reading one version of the notice."""

    consents: dict[Purpose, bool] = Field(min_length=1, examples=[{Purpose.PARTICIPATION: True}])
    notice: NoticeVersion = Field(description="of the programme, the current one or an earlier one")
    language: Language | None = Field(
        default=None, description="in which it was read; the first of the notice when absent"
    )
    how: How | None = Field(default=None, description="how it was given to whoever records it")


@router.post("/workers/{worker}/consents", status_code=204)
async def consents(worker: Id, body: Decision, run: Run, who: WorkerOrOperator) -> None:
    """Give or withdraw consents, each purpose apart. 404 no-such-worker · 409 out-of-order: a later decision counts · 412 changed
    meanwhile (If-Match) · 422 no-such-notice, no-such-language."""
    command = do.DecideConsent(
        worker=worker, given=body.consents, notice=body.notice, language=body.language, how=body.how, at=body.at
    )
    await run(do.decide_consent, command, edits=(Worker, worker))


@router.post("/workers/{worker}/admission", status_code=204)
async def admission(worker: Id, run: Run, who: Operator, body: Act | None = None) -> None:
    """Admit a worker on the way. 404 no-such-worker · 409 not-referred, no-consent, out-of-order, programme-over ·
    412 changed meanwhile (If-Match)."""
    await run(do.admit, do.Admit(worker=worker, at=body.at if body else None), edits=(Worker, worker))


class Declined(Act):
    """The reason for which somebody is not admitted, or does not want to be."""

    reason: Declining = Declining.OTHER


@router.post("/workers/{worker}/refusal", status_code=204)
async def refusal(worker: Id, run: Run, who: Operator, body: Declined | None = None) -> None:
    """Decline a worker on the way, or note that they declined. 404 no-such-worker · 409 not-referred, out-of-order · 412 changed
    meanwhile (If-Match)."""
    body = body or Declined()
    await run(do.decline, do.Decline(worker=worker, reason=body.reason, at=body.at), edits=(Worker, worker))


class Try(Act):
    """A try to reach somebody. `reached`: they answered; a try in vain is no contact."""

    how: Contacting
    reached: bool


@router.post("/workers/{worker}/contacts", status_code=204)
async def contact(worker: Id, body: Try, run: Run, who: Operator) -> None:
    """Record a try to reach somebody. 404 no-such-worker · 409 not-referred, out-of-order · 412 changed meanwhile (If-Match)."""
    command = do.TryContact(worker=worker, how=body.how, reached=body.reached, at=body.at)
    await run(do.try_contact, command, edits=(Worker, worker))


class Interview(Act):
    """The time of the welcome interview, and the partner at whose desk it is; without one, at the office of the programme."""

    when: Moment
    place: Slug | None = None


@router.put("/workers/{worker}/interview", status_code=204)
async def interview(worker: Id, body: Interview, run: Run, who: Operator) -> None:
    """Book the welcome interview, or move it; the person is told, if they consent to messages. 404 no-such-worker · 409 not-referred,
    out-of-order, programme-over, partner-retired · 412 changed meanwhile (If-Match) · 422 no-such-partner."""
    command = do.Book(worker=worker, when=body.when, place=body.place, at=body.at)
    await run(do.book, command, edits=(Worker, worker))


@router.post("/workers/{worker}/interview", status_code=204)
async def interviewed(worker: Id, run: Run, who: Operator, body: Act | None = None) -> None:
    """Record that the welcome interview took place. 404 no-such-worker · 409 not-referred, out-of-order · 412 changed meanwhile
    (If-Match)."""
    await run(do.hold, do.Hold(worker=worker, at=body.at if body else None), edits=(Worker, worker))


@router.post("/workers/{worker}/return", status_code=204)
async def comes_back(worker: Id, run: Run, who: Operator, body: Act | None = None) -> None:
    """Let somebody who was declined or had left begin the way again. 404 no-such-worker · 409 not-ended, out-of-order, programme-over,
    merged · 410 erased · 412 changed meanwhile (If-Match)."""
    await run(do.come_back, do.ComeBack(worker=worker, at=body.at if body else None), edits=(Worker, worker))


class Redating(Body):
    """The right time of a step, and why it is corrected."""

    at: Moment
    reason: Note


@router.put("/workers/{worker}/steps/{step}", status_code=204)
async def redated(worker: Id, step: Step, body: Redating, run: Run, who: Operator) -> None:
    """Correct the date of a step of the present round. 404 no-such-worker · 409 no-such-step, out-of-order, programme-over, merged ·
    410 erased · 412 changed meanwhile (If-Match) · 422 in-the-future."""
    command = do.Redate(worker=worker, step=step, reason=body.reason, at=body.at)
    await run(do.redate, command, edits=(Worker, worker))


class Withdrawal(Act):
    """The reason for leaving the programme."""

    reason: Leaving


@router.post("/workers/{worker}/withdrawal", status_code=204)
async def withdrawal(worker: Id, body: Withdrawal, run: Run, who: WorkerOrOperator) -> None:
    """Leave the programme. 404 no-such-worker · 409 not-enrolled, out-of-order · 412 changed meanwhile (If-Match)."""
    await run(do.withdraw, do.Withdraw(worker=worker, reason=body.reason, at=body.at), edits=(Worker, worker))


@router.delete("/workers/{worker}", status_code=204)
async def erasure(worker: Id, run: Run, who: Annotated[Who, allowed(Role.WORKER, Role.ADMINISTRATOR)]) -> None:
    """Erase a person: their key is destroyed everywhere. 404 no-such-worker · 410 erased."""
    await run(do.erase, do.Erase(worker=worker), edits=(Worker, worker))
