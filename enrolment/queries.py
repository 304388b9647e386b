"""Reads that answer a route of enrolment. They change no aggregate; a read of a person's data is in their access log first."""

from datetime import date, datetime
from typing import Any

import orjson
from pydantic import AwareDatetime, BaseModel

from enrolment.domain import Booking, Merging, Status, Worker
from services.contracts import feed
from services.contracts.base import Day
from services.contracts.enrolment import Origin, Purpose, Step
from services.kernel import Refusal, Refused
from services.programmes import Programme, may_know
from services.store.consents import Consents
from services.store.work import Work

STEPS = {
    "admitted": feed.Admitted.type,
    "declined": feed.Declined.type,
    "withdrawn": feed.Withdrew.type,
    "seated": feed.Seated.type,
}  # of the read model: the type of the feed that tells the same

NAMES = ("given_name", "family_name")  # fields of the card, in the order in which a name is written

# Grouping lists a person who is admitted and described. Whoever sat or left needs no profile any more.
WITHOUT_PROFILE: dict[str, Any] = {"stage": "admitted", "waiting": None, "seated": None}


def own_referrals(partner: str | None) -> dict[str, Any]:
    """The filter of the rows of those whom this partner brought; not of people who asked by themselves."""
    return {"partner": partner, "origin": {"$ne": Origin.SELF}}


class Person(BaseModel):
    """All data of one person, in the clear. `version` is the one that an edit names in If-Match. `sketch`: what a referrer knew of the
    profile, while there is none. `dated`: the steps of the present round. The last four: other records of the same person."""

    worker: str
    partner: str
    status: Status
    card: dict[str, str]
    profile: dict[str, Any] | None
    sketch: dict[str, Any] | None = None
    consents: dict[str, dict[str, Any]]
    version: int
    interview: Booking | None = None
    dated: dict[Step, AwareDatetime] = {}
    returned: AwareDatetime | None = None
    into: str | None = None
    absorbed: tuple[str, ...] = ()
    merging: Merging | None = None
    expects: tuple[str, ...] = ()


async def read_person(work: Work, worker: str) -> Person:
    """The person's data, for the caller alone. Logged as an access, unless nothing is left that identifies the person.
    Refused("no-such-worker", 404)."""
    found = await work.peek(Worker, worker)
    if found is None:
        raise Refused("no-such-worker", f"There is no worker {worker}.", Refusal.NOT_FOUND)
    work.follow(found.trace)
    work.reads_for("person")
    if found.card:
        work.note_access(found.id)
    profile = await work.unseal(found.id, "profile", found.profile) if found.profile else None
    sketch = await work.unseal(found.id, "sketch", found.sketch) if found.sketch else None
    return Person(
        worker=found.id,
        partner=found.partner,
        status=found.status,
        card={name: await work.unseal(found.id, name, sealed) for name, sealed in found.card.items()},
        profile=orjson.loads(profile) if profile else None,
        sketch=orjson.loads(sketch) if sketch else None,
        consents={purpose.value: consent.model_dump(mode="json") for purpose, consent in found.consents.items()},
        version=work.version(found),
        interview=found.interview,
        dated=found.dated,
        returned=found.returned,
        into=found.into,
        absorbed=found.absorbed,
        merging=found.merging,
        expects=found.expects,
    )


async def name_of(worker: Worker, work: Work) -> str:
    """The whole name of a person, noted as an access. Empty for a card that was lost with a database."""
    names = [await work.unseal(worker.id, name, worker.card[name]) for name in NAMES if name in worker.card]
    return " ".join(names)


class OwnReferral(BaseModel):
    """A referral as its partner may know it: days, and only steps that the partner's feed would tell. None is "not known to you"."""

    worker: str
    partner: str
    referred: Day
    admitted: Day | None = None
    declined: Day | None = None
    withdrawn: Day | None = None
    seated: Day | None = None


def own_referral(row: dict[str, Any], rules: Programme, consents: Consents) -> OwnReferral:
    """The row of a referral for the partner who made it. An erased person has no consents."""
    row = _present(row)
    days = {name: _day(row[name], rules) for name in ("referred", *STEPS) if row.get(name) is not None}
    told = {name: day for name, day in days.items() if name == "referred" or _is_told(name, row, rules, consents)}
    return OwnReferral(worker=row["worker"], partner=row["partner"], **told)


def _present(row: dict[str, Any]) -> dict[str, Any]:
    """The row without the ends that a later step has replaced: somebody may come back, and be admitted or end anew."""
    ends = {name: row[name] for name in ("declined", "withdrawn") if row.get(name) is not None}
    last = max(ends, key=lambda name: ends[name], default=None)
    if (
        last is not None
        and row.get("returned")
        and row.get("admitted")
        and row["admitted"] > row["returned"] >= ends[last]
    ):
        last = None
    return {name: fact for name, fact in row.items() if name not in ends or name == last}


def _is_told(step: str, row: dict[str, Any], rules: Programme, consents: Consents) -> bool:
    """Tell whether the partner's feed tells of this step, by the same two questions. There a seat comes after the admission."""
    # A row from before the moment of a seat was kept: the referral is earlier, so any refusal since hides the seat.
    moment = row.get("given", row["referred"]) if step == "seated" else row[step]
    known = may_know(row["partner"], rules, consents.to_tell(Purpose.PARTNER_FEEDBACK, moment))
    return STEPS[step] in known and (step != "seated" or "admitted" in row)


def _day(stored: datetime | str, rules: Programme) -> date:
    """The local day of a step. The first day of a seat is stored as its ISO text."""
    return date.fromisoformat(stored) if isinstance(stored, str) else rules.day_of(stored)
