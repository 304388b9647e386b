"""Commands of enrolment, each beside its one handler."""

import base64
import secrets
from collections.abc import Collection

import orjson
from pydantic import AwareDatetime, Field

from enrolment.domain import ADDRESSES, WHY, Act, Recorder, Worker
from enrolment.likeness import liken
from services import vault
from services.contracts.base import Id, Slug
from services.contracts.enrolment import (
    Among,
    Contacting,
    Declining,
    DuplicateJudged,
    How,
    Judgement,
    Leaving,
    LinkPurpose,
    Origin,
    Purpose,
    Step,
    WorkerProfiled,
)
from services.contracts.topics import CONTACTS
from services.kernel import Command, Refusal, Refused, new_id
from services.programmes import in_intake, in_programme, refuse_unless_active, since_start
from services.store.work import Work

CARD = frozenset({Purpose.PARTICIPATION, Purpose.CONTACT})  # the card leaves enrolment while both are given
FISCAL = "fiscal_code"  # field of the card that no other service needs: it never leaves enrolment


class Refer(Command):
    """A partner refers a person."""

    partner: Slug
    card: dict[str, str]
    profile: WorkerProfiled | None = None
    origin: Origin = Origin.PARTNER


async def refer(command: Refer, work: Work) -> dict[str, str]:
    """Create a worker and the person's key. Refused: no-such-partner, partner-retired, no-referrer, out-of-order outside the intake, and as
    `describe`."""
    refuse_unless_active(work.rules, "partners", [command.partner])
    partner = work.rules.partner(command.partner)
    if partner is None or not partner.may_refer:
        raise Refused("no-referrer", f"{command.partner} refers nobody in {work.programme}.", Refusal.INVALID)
    in_intake(work.rules, "The referral", work.rules.day_of(work.at))
    worker = Worker.refer(new_id(), command.partner, work.at, work.cause.traceparent, command.origin)
    work.add(worker)
    await work.new_key(worker)  # before any field is sealed
    worker.fill_in(await _sealed(worker, command.card, work), work.now)
    worker.fiscal = _fiscal(command.card, work)
    await liken(worker, command.card, work)
    await _note(worker, work)
    if command.profile is not None:
        await _describe(worker, command.profile, work)
    return {"worker": worker.id}


async def _worker(id: str, work: Work) -> Worker:
    """The worker, guarded. What follows continues the trace of their referral: one trace for one person's way."""
    worker = await work.get(Worker, id)
    work.follow(worker.trace)
    return worker


async def note(worker: Worker, work: Work, why: str | None = None) -> None:
    """Keep who takes the step that this command records, and the reason that they wrote, sealed. The service itself is nobody."""
    await _note(worker, work, why)


async def _note(worker: Worker, work: Work, why: str | None = None) -> None:
    caller = work.caller
    if caller is None or (worker.acts and worker.acts[-1].recorded == work.now):
        return
    sealed = await work.seal(worker.id, WHY, why) if why else None
    worker.note(Act(recorded=work.now, role=caller.role, who=caller.who, name=caller.name or None, why=sealed))


def _fiscal(card: dict[str, str], work: Work) -> str | None:
    """The digest by which the tax code of this card is found again; None without one."""
    return work.fiscal_digest(card[FISCAL]) if FISCAL in card else None


async def _sealed(worker: Worker, card: dict[str, str], work: Work) -> dict[str, str]:
    return {name: await work.seal(worker.id, name, text) for name, text in card.items()}


class Correct(Command):
    """The identity or contact of a worker is corrected. `card` is the whole card; a field that it lacks is emptied."""

    worker: Id
    card: dict[str, str]
    reason: str | None = None


async def correct(command: Correct, work: Work) -> None:
    """Replace the whole card, and publish it while the worker consents to contact and to participate. Refused: erased."""
    worker = await _worker(command.worker, work)
    if await _moved(worker, command.card, work):
        # A link that went to the address of somebody else must not stay open to them.
        for purpose in LinkPurpose:
            worker.unlink(purpose)
    worker.correct(await _sealed(worker, command.card, work), work.now)
    worker.fiscal = _fiscal(command.card, work)
    await liken(worker, command.card, work)
    await _note(worker, work, command.reason)
    if all(map(worker.consents_to, CARD)):
        await publish_card(worker, work, CARD)


async def _moved(worker: Worker, card: dict[str, str], work: Work) -> bool:
    """Tell whether messages go to another address from now on."""
    before = {
        name: await work.unseal(worker.id, name, worker.card[name], told=False)
        for name in ADDRESSES
        if name in worker.card
    }
    return before != {name: card[name] for name in ADDRESSES if name in card}


class Describe(Command):
    """The profile of a worker has changed."""

    worker: Id
    profile: WorkerProfiled
    reason: str | None = None


async def describe(command: Describe, work: Work) -> None:
    """Replace the whole profile. Refused: no-such-slot, no-such-municipality, slot-retired, municipality-retired, no-employer, erased."""
    worker = await _worker(command.worker, work)
    await _describe(worker, command.profile, work)
    await _note(worker, work, command.reason)


async def _describe(worker: Worker, profile: WorkerProfiled, work: Work) -> None:
    before = await _profile_before(worker, work)
    refuse_unless_active(work.rules, "slots", profile.slots, before.slots if before else ())
    refuse_unless_active(work.rules, "municipalities", [profile.municipality], [before.municipality] if before else ())
    if profile.among is Among.COLLEAGUES and profile.employer is None:
        raise Refused("no-employer", "A person without an employer has no colleagues to sit among.", Refusal.INVALID)
    worker.describe(profile, await work.seal(worker.id, "profile", profile.model_dump_json()))


async def _profile_before(worker: Worker, work: Work) -> WorkerProfiled | None:
    """The profile that is replaced: a person may stay in a municipality that was retired since."""
    if worker.profile is None:
        return None
    # A refusal of the new one tells of the old one.
    work.reads_for("profile")
    return WorkerProfiled.model_validate_json(await work.unseal(worker.id, "profile", worker.profile))


class DecideConsent(Command):
    """A worker gave or withdrew consents, after reading one version of the notice."""

    worker: Id
    given: dict[Purpose, bool] = Field(min_length=1)
    notice: str
    language: str | None = None  # the notice's first
    how: How | None = None


async def decide_consent(command: DecideConsent, work: Work) -> None:
    """Record each decision, or none of them. The contact card is on the bus exactly while the worker consents to contact and to
    participate. Refused: no-such-notice, no-such-language, out-of-order, erased."""
    worker = await _worker(command.worker, work)
    since_start(work.rules, "The decision", work.rules.day_of(work.at))
    language = _language_read(command, work)
    for purpose, given in sorted(command.given.items()):
        worker.consent(purpose, given, command.notice, language, work.at, command.how, _recorder(work))
    await _note(worker, work)
    await publish_card(worker, work, command.given)


def _recorder(work: Work) -> Recorder | None:
    """The account that writes it down; None when it is the service itself."""
    return Recorder(work.caller.role, work.caller.who) if work.caller is not None else None


class RefuseAgain(Command):
    """Refusals that a restore has lost, with the time of each decision."""

    worker: Id
    refused: dict[Purpose, AwareDatetime]


async def refuse_again(command: RefuseAgain, work: Work) -> None:
    """Publish those that end a consent which the record shows. An erased worker has none."""
    worker = await _worker(command.worker, work)
    ended = [purpose for purpose, at in sorted(command.refused.items()) if worker.refuse(purpose, at)]
    await publish_card(worker, work, ended)


def _language_read(command: DecideConsent, work: Work) -> str:
    """The language in which the notice was read. Consent to a notice that does not exist is no consent."""
    notice = work.rules.notice_of(command.notice)
    if notice is None:
        raise Refused("no-such-notice", f"{command.notice} is no notice of {work.programme}.", Refusal.INVALID)
    language = command.language or notice.languages[0]
    if language not in notice.languages:
        raise Refused(
            "no-such-language", f"Notice {notice.version} is not in the language {language}.", Refusal.INVALID
        )
    return language


async def publish_card(worker: Worker, work: Work, decided: Collection[Purpose]) -> None:
    """Publish the card, or a tombstone, after decisions on purposes on which it depends."""
    if CARD.isdisjoint(decided):
        return
    if not all(map(worker.consents_to, CARD)):
        work.publish_table(CONTACTS, worker, None)
        return
    told = {name: sealed for name, sealed in worker.card.items() if name != FISCAL}
    card = {name: await work.unseal(worker.id, name, sealed, told=False) for name, sealed in told.items()}
    work.publish_table(
        CONTACTS, worker, vault.encrypt_payload(await work.key(worker.id), worker.id, orjson.dumps(card)).encode()
    )


class TakeCardBack(Command):
    """The contact card may be published while it must not."""

    worker: Id


async def take_card_back(command: TakeCardBack, work: Work) -> None:
    """Publish a tombstone in place of a card without both consents."""
    worker = await _worker(command.worker, work)
    if not all(map(worker.consents_to, CARD)) and await work.published(CONTACTS, worker) is not None:
        work.publish_table(CONTACTS, worker, None)


class TryContact(Command):
    """Somebody of the programme tried to reach a worker."""

    worker: Id
    how: Contacting
    reached: bool


async def try_contact(command: TryContact, work: Work) -> None:
    """Record the try, and the contact when they answered. Refused: not-referred, out-of-order."""
    worker = await _worker(command.worker, work)
    worker.try_contact(command.how, command.reached, work.at)
    await _note(worker, work)


class Book(Command):
    """The welcome interview gets a time, or another one. `place`: the partner at whose desk; None, at the office of the programme."""

    worker: Id
    when: AwareDatetime
    place: Slug | None = None


async def book(command: Book, work: Work) -> None:
    """Book the interview, while the programme lasts. Refused: not-referred, out-of-order, programme-over, no-such-partner,
    partner-retired."""
    worker = await _worker(command.worker, work)
    in_programme(work.rules, "The interview", work.rules.day_of(command.when))
    if command.place is not None:
        before = worker.interview.place if worker.interview and worker.interview.place else None
        refuse_unless_active(work.rules, "partners", [command.place], [before] if before else ())
    worker.book(command.when, command.place, work.at)
    await _note(worker, work)


class Hold(Command):
    """The welcome interview took place."""

    worker: Id


async def hold(command: Hold, work: Work) -> None:
    """Record the interview. Refused: not-referred, out-of-order."""
    worker = await _worker(command.worker, work)
    worker.hold(work.at)
    await _note(worker, work)


class Admit(Command):
    """The welcome interview ended in admission."""

    worker: Id


async def admit(command: Admit, work: Work) -> None:
    """Admit a worker on the way, while the programme lasts. Refused: not-referred, no-consent, out-of-order, programme-over."""
    worker = await _worker(command.worker, work)
    in_programme(work.rules, "The admission", work.rules.day_of(work.at))
    worker.admit(work.at)
    if worker.returned is not None and worker.profile is not None:
        # Grouping forgot the profile of whoever left.
        profile = await work.unseal(worker.id, "profile", worker.profile, told=False)
        worker.describe(WorkerProfiled.model_validate_json(profile), worker.profile)
    await _note(worker, work)


class Decline(Command):
    """The welcome interview did not end in admission."""

    worker: Id
    reason: Declining = Declining.OTHER


async def decline(command: Decline, work: Work) -> None:
    """Decline a worker on the way. Refused: not-referred, out-of-order."""
    worker = await _worker(command.worker, work)
    worker.decline(work.at, command.reason)
    await _note(worker, work)


class Withdraw(Command):
    """A worker leaves the programme."""

    worker: Id
    reason: Leaving


async def withdraw(command: Withdraw, work: Work) -> None:
    """Withdraw a worker who is on the way or admitted. Refused: not-enrolled, out-of-order."""
    worker = await _worker(command.worker, work)
    worker.withdraw(command.reason, work.at)
    await _note(worker, work)


class ComeBack(Command):
    """A worker who was declined or had withdrawn begins the way again."""

    worker: Id


async def come_back(command: ComeBack, work: Work) -> None:
    """Begin the way again, while the programme lasts. Refused: not-ended, out-of-order."""
    worker = await _worker(command.worker, work)
    in_programme(work.rules, "The return", work.rules.day_of(work.at))
    worker.come_back(work.at)
    await _note(worker, work)


class Redate(Command):
    """The date of a step was wrong: `at` is the right one."""

    worker: Id
    step: Step
    reason: str


async def redate(command: Redate, work: Work) -> None:
    """Correct the date, between the steps before and after. Refused: no-such-step, out-of-order, programme-over."""
    worker = await _worker(command.worker, work)
    in_programme(work.rules, "The step", work.rules.day_of(work.at))
    worker.redate(command.step, work.at)
    await _note(worker, work, command.reason)


class Erase(Command):
    """A person is erased: at their wish, by law, or because the retention period is over."""

    worker: Id


async def erase(command: Erase, work: Work) -> dict[str, str]:
    """Empty the record, and every record of the same person that ended in it or in which it ended, and destroy the key of each, with
    tombstones for all who hold it. Gives the number of the receipt."""
    worker = await _worker(command.worker, work)
    receipt = receipt_number()
    others = [each for id in await _same(worker, work) if (each := await work.find(Worker, id)) is not None]
    gone = [worker, *(each for each in others if not each.is_erased)]
    await _take_back(gone, work)
    worker.erase(work.now, receipt)
    await work.destroy_key(worker)
    for each in gone[1:]:
        each.erase(work.now, receipt_number())
        await work.destroy_key(each)
    return {"receipt": receipt}


async def _take_back(gone: Collection[Worker], work: Work) -> None:
    """Have no record of somebody else name these any more: neither as alike, nor as judged, nor as one to end in."""
    ids = [each.id for each in gone]
    named = {each.id: each for each in await work.where(Worker, alike=ids)}
    for id in set().union(*(_judged_with(each) for each in gone)) - {*ids, *named}:
        if (found := await work.find(Worker, id)) is not None:
            named[id] = found
    for each in named.values():
        for other in ids:
            if each.id not in ids and each.is_open_to_judgement and each.names(other):
                each.says(DuplicateJudged(other=other, judgement=Judgement.OPEN), work.now)


def _judged_with(worker: Worker) -> set[str]:
    """The other records about which something was decided together with this one."""
    return {*worker.distinct, *worker.expects, *([worker.merging.into] if worker.merging else [])}


async def _same(worker: Worker, work: Work) -> list[str]:
    """Ids of the other records of the person."""
    found, open_ = {worker.id}, [worker]
    while open_:
        each = open_.pop()
        for id in {*each.absorbed, *([each.into] if each.into else [])} - found:
            found.add(id)
            other = await work.find(Worker, id)
            open_ += [other] if other is not None else []
    return sorted(found - {worker.id})


def receipt_number() -> str:
    """Draw the number of a receipt: 80 random bits, in groups that can be read out. It is no part of any id."""
    drawn = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(drawn[at : at + 4] for at in range(0, 16, 4))
