"""The command of the referrer's form: a person is referred, with what the referrer knows and the consents that the person gave them."""

from enrolment.commands import DecideConsent, Refer, decide_consent, refer
from enrolment.domain import Worker
from enrolment.facts import Sketch
from services.contracts.base import Slug
from services.contracts.enrolment import How, Origin, Purpose
from services.kernel import Command
from services.store.work import Work

__all__ = ["ReferTogether", "Sketch", "refer_together"]


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
