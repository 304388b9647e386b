"""Commands of enrolment: what they check against the programme, and which contact cards they publish."""

from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrolment import commands as do
from enrolment.domain import Status
from services import vault
from services.contracts.enrolment import Among, How, Origin, Purpose, WorkerAdmitted, WorkerCorrected, WorkerReferred
from services.contracts.topics import CONTACTS
from services.kernel import Refusal, Refused
from tests.enrolment.memory import KEY, MemoryWork
from tests.enrolment.workers import AT, PROFILE, TRACE, decide, in_status, recorded, referred, sealed

DAY = timedelta(days=1)
CARD = {"given_name": "Ada", "family_name": "Prova", "language": "it"}


async def refer(work: MemoryWork, **changes: Any) -> str:
    """Refer Ada, with changes; the new worker's id."""
    command = do.Refer(**{"partner": "prova", "card": CARD, "profile": PROFILE, **changes})
    return (await do.refer(command, work.as_work))["worker"]


def decision(**decided: bool) -> do.DecideConsent:
    """A decision on purposes, by name."""
    purposes = {Purpose(name.replace("_", "-")): yes for name, yes in decided.items()}
    return do.DecideConsent(worker="w1", given=purposes, notice="1", language="it")


async def test_a_referral_seals_each_field_and_the_profile_under_the_new_persons_key() -> None:
    work = MemoryWork()
    id = await refer(work)
    worker = work.workers[id]
    assert worker.card == {name: sealed(id, name, text) for name, text in CARD.items()}
    assert worker.profile == sealed(id, "profile", PROFILE.model_dump_json())
    assert recorded(worker) == [WorkerReferred(partner="prova", origin=Origin.PARTNER), PROFILE]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"partner": "nobody"}, "no-such-partner"),
        ({"partner": "cassa"}, "no-referrer"),
        ({"profile": PROFILE.model_copy(update={"slots": ("monday", "never")})}, "no-such-slot"),
        ({"profile": PROFILE.model_copy(update={"municipality": "atlantis"})}, "no-such-municipality"),
        ({"profile": PROFILE.model_copy(update={"among": Among.COLLEAGUES})}, "no-employer"),
    ],
)
async def test_a_referral_that_the_programme_does_not_know_is_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refused:
        await refer(MemoryWork(), **changes)
    assert (refused.value.code, refused.value.kind) == (code, Refusal.INVALID)


async def test_colleagues_sit_together_when_the_employer_is_known() -> None:
    await refer(MemoryWork(), profile=PROFILE.model_copy(update={"among": Among.COLLEAGUES, "employer": "acme"}))


@pytest.mark.parametrize(
    ("notice", "language", "code"),
    [("banana", "it", "no-such-notice"), ("", "it", "no-such-notice"), ("1", "zz", "no-such-language")],
)
async def test_consent_is_to_a_notice_of_the_programme_in_one_of_its_languages(
    notice: str, language: str, code: str
) -> None:
    worker = in_status(Status.REFERRED)
    told = decision(participation=True).model_copy(update={"notice": notice, "language": language})
    with pytest.raises(Refused) as refused:
        await do.decide_consent(told, MemoryWork(worker).as_work)
    assert (refused.value.code, refused.value.kind) == (code, Refusal.INVALID)
    assert recorded(worker) == []


async def test_a_notice_was_read_in_its_first_language_when_nothing_else_is_said() -> None:
    worker = in_status(Status.REFERRED)
    told = decision(participation=True).model_copy(update={"language": None})
    await do.decide_consent(told, MemoryWork(worker).as_work)
    assert worker.consents[Purpose.PARTICIPATION].language == "it"


@pytest.mark.parametrize("status", [Status.REFERRED, Status.WITHDRAWN])
async def test_consent_to_contact_publishes_the_card_encrypted(status: Status) -> None:
    worker = in_status(status)
    worker.card = {"email": sealed("w1", "email", "ada@example.org")}
    work = MemoryWork(worker)
    await do.decide_consent(decision(contact=True), work.as_work)
    [(topic, person, value)] = work.records
    assert (topic, person) == (CONTACTS.name, "w1")
    assert value is not None
    assert orjson.loads(vault.decrypt_payload(KEY, value.decode())) == {"email": "ada@example.org"}


async def test_a_corrected_card_replaces_the_whole_card_says_so_and_is_found_again() -> None:
    worker = in_status(Status.REFERRED)
    work = MemoryWork(worker)
    await do.correct(do.Correct(worker="w1", card={"given_name": "Ada", "family_name": "Po"}), work.as_work)
    assert worker.card == {
        "given_name": sealed("w1", "given_name", "Ada"),
        "family_name": sealed("w1", "family_name", "Po"),
    }
    assert (recorded(worker), worker.filled, work.records) == ([WorkerCorrected()], AT, [])


async def test_a_corrected_card_is_published_while_the_person_consents_to_contact() -> None:
    worker = in_status(Status.ADMITTED)
    decide(worker, Purpose.CONTACT, True)
    work = MemoryWork(worker)
    await do.correct(do.Correct(worker="w1", card={"email": "ada@example.org"}), work.as_work)
    [(topic, _, value)] = work.records
    assert value is not None
    assert (topic, orjson.loads(vault.decrypt_payload(KEY, value.decode()))) == (
        CONTACTS.name,
        {"email": "ada@example.org"},
    )


async def test_nothing_is_written_down_again_of_an_erased_person() -> None:
    worker = in_status(Status.ERASED)
    with pytest.raises(Refused) as refused:
        await do.correct(do.Correct(worker="w1", card=CARD), MemoryWork(worker).as_work)
    assert (refused.value.code, worker.card) == ("erased", {})


async def test_a_consent_keeps_how_it_was_given() -> None:
    worker = in_status(Status.REFERRED)
    told = decision(contact=True).model_copy(update={"how": How.SIGNED_PAPER})
    await do.decide_consent(told, MemoryWork(worker).as_work)
    assert worker.consents[Purpose.CONTACT].how is How.SIGNED_PAPER
    assert [each.how for each in recorded(worker)] == [How.SIGNED_PAPER]


async def test_contact_that_is_withdrawn_publishes_a_tombstone() -> None:
    work = MemoryWork(in_status(Status.ADMITTED))
    await do.decide_consent(decision(contact=False, research=True), work.as_work)
    assert work.records == [(CONTACTS.name, "w1", None)]


async def test_a_decision_on_other_purposes_leaves_the_published_card_as_it_is() -> None:
    work = MemoryWork(in_status(Status.ADMITTED))
    await do.decide_consent(decision(research=True, partner_feedback=True), work.as_work)
    assert work.records == []


@given(st.lists(st.dictionaries(st.sampled_from(Purpose), st.booleans(), min_size=1), max_size=6))
async def test_the_card_is_on_the_bus_exactly_while_contact_and_participation_are_given(
    decisions: list[dict[Purpose, bool]],
) -> None:
    worker = referred()
    worker.card = {"email": sealed("w1", "email", "ada@example.org")}
    work = MemoryWork(worker)
    for given_now in decisions:
        await do.decide_consent(do.DecideConsent(worker="w1", given=given_now, notice="1"), work.as_work)
        published = bool(work.records) and work.records[-1][2] is not None
        both = worker.consents_to(Purpose.CONTACT) and worker.consents_to(Purpose.PARTICIPATION)
        assert published == both


async def test_a_decision_on_several_purposes_records_one_event_for_each() -> None:
    worker = in_status(Status.REFERRED)
    await do.decide_consent(decision(research=True, contact=False), MemoryWork(worker).as_work)
    assert [(each.purpose, each.given) for each in recorded(worker)] == [("contact", False), ("research", True)]


async def test_a_command_goes_on_in_the_trace_of_the_referral() -> None:
    worker = in_status(Status.REFERRED)
    work = MemoryWork(worker)
    work.cause.traceparent = "another"
    await do.admit(do.Admit(worker="w1"), work.as_work)
    assert recorded(worker) == [WorkerAdmitted(partner="cisl")]
    assert work.cause.traceparent == TRACE


async def test_an_erasure_destroys_the_key_once_and_is_refused_after_that() -> None:
    work = MemoryWork(in_status(Status.ADMITTED))
    await do.erase(do.Erase(worker="w1"), work.as_work)
    with pytest.raises(Refused) as refused:
        await do.erase(do.Erase(worker="w1"), work.as_work)
    assert (refused.value.code, work.destroyed) == ("erased", ["w1"])


async def test_a_worker_whom_nobody_referred_is_not_there() -> None:
    with pytest.raises(Refused) as refused:
        await do.admit(do.Admit(worker="nobody"), MemoryWork().as_work)
    assert refused.value.kind is Refusal.NOT_FOUND


async def test_a_refusal_that_a_restore_had_lost_ends_the_consent_on_its_notice_and_takes_the_card_back() -> None:
    worker = in_status(Status.ADMITTED)
    decide(worker, Purpose.CONTACT, True)
    worker._events.clear()
    work = MemoryWork(worker)
    told = do.RefuseAgain(worker="w1", refused={Purpose.CONTACT: AT + DAY, Purpose.RESEARCH: AT + DAY})
    for _ in range(2):
        await do.refuse_again(told, work.as_work)
    assert [(each.purpose, each.given, each.notice) for each in recorded(worker)] == [("contact", False, "2026-09")]
    assert work.records == [(CONTACTS.name, "w1", None)]


async def test_a_refusal_of_before_the_decision_that_counts_ends_nothing() -> None:
    worker = in_status(Status.ADMITTED)
    told = do.RefuseAgain(worker="w1", refused={Purpose.PARTICIPATION: AT - DAY})
    await do.refuse_again(told, MemoryWork(worker).as_work)
    assert (recorded(worker), worker.status) == ([], Status.ADMITTED)


async def test_a_lost_refusal_to_participate_ends_the_participation() -> None:
    worker = in_status(Status.ADMITTED)
    told = do.RefuseAgain(worker="w1", refused={Purpose.PARTICIPATION: AT + DAY})
    await do.refuse_again(told, MemoryWork(worker).as_work)
    assert worker.status is Status.WITHDRAWN
