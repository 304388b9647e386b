"""The command of the referrer's form: a person is referred, with what the referrer knows and the consents that the person gave them."""

from pydantic import BaseModel

from enrolment.commands import DecideConsent, Refer, decide_consent, refer
from enrolment.domain import Worker
from services.contracts.base import Id, Slug
from services.contracts.enrolment import (
    Education,
    Employment,
    Heard,
    How,
    Occupation,
    Origin,
    Purpose,
    Sector,
    WorkerProfiled,
)
from services.kernel import Command
from services.store.work import Work


class Sketch(BaseModel):
    """The parts of a profile that a referrer may know; whoever welcomes the person asks for the rest."""

    municipality: Slug | None = None
    slots: tuple[Slug, ...] = ()
    gender: str | None = None
    birth_year: int | None = None
    employer: Id | None = None
    employment: Employment | None = None
    sector: Sector | None = None
    occupation: Occupation | None = None
    months_out: int | None = None
    years_in_job: int | None = None
    education: Education | None = None
    heard: Heard | None = None

    def profiled(self) -> WorkerProfiled | None:
        """The profile, once it can be matched on: it says where the person lives and when they can come."""
        if self.municipality is None or not self.slots:
            return None
        return WorkerProfiled(travel_km=15.0, **dict(self))

    def __bool__(self) -> bool:
        return any(value not in (None, ()) for value in dict(self).values())


class ReferTogether(Command):
    """A partner refers a person and hands on their consents. `given`: the purposes to which the person said yes; of the others nothing is
    known yet, which is no refusal."""

    partner: Slug
    card: dict[str, str]
    sketch: Sketch = Sketch()
    given: frozenset[Purpose] = frozenset()
    notice: str
    language: str | None = None
    how: How | None = None
    origin: Origin = Origin.PARTNER


async def refer_together(command: ReferTogether, work: Work) -> dict[str, str]:
    """Refer the person, and record the consents: all of it or nothing, in one transaction. Refused: as `refer` and `decide_consent`."""
    profile = command.sketch.profiled()
    made = await refer(Refer(partner=command.partner, card=command.card, profile=profile, origin=command.origin), work)
    if profile is None and command.sketch:
        worker = await work.get(Worker, made["worker"])
        worker.outline(await work.seal(worker.id, "sketch", command.sketch.model_dump_json(exclude_defaults=True)))
    if command.given:
        decision = DecideConsent(
            worker=made["worker"],
            given=dict.fromkeys(command.given, True),
            notice=command.notice,
            language=command.language,
            how=command.how,
        )
        await decide_consent(decision, work)
    return made
