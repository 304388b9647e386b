"""Rules of a worker's way: each command in each status either records events and leads to a status, or is refused by a stable code."""

from datetime import timedelta
from itertools import product

import pytest

from enrolment.domain import Consent, Status, Worker
from services.contracts.enrolment import (
    ConsentChanged,
    Leaving,
    Origin,
    Purpose,
    Step,
    WithdrawalExplained,
    WorkerErased,
    WorkerProfiled,
    WorkerReferred,
    WorkerWithdrawn,
)
from services.kernel import Refusal, Refused
from tests.enrolment.transitions import TABLE
from tests.enrolment.workers import (
    AT,
    CARD,
    COMMANDS,
    PROFILE,
    TRACE,
    decide,
    in_status,
    recorded,
    referred,
    sealed,
)

REFERRED, ADMITTED, WITHDRAWN, ERASED = Status.REFERRED, Status.ADMITTED, Status.WITHDRAWN, Status.ERASED
LIVE = tuple(each for each in Status if each not in {Status.MERGED, ERASED})
Outcome = tuple[list[type], Status] | str  # the events and the status after, or the code of the refusal

OUTCOMES: dict[tuple[Status, str], Outcome] = {
    **{
        (status, command): ([ConsentChanged], status)
        for status in LIVE
        for command in ("consent to take part", "withdraw consent to take part", "withdraw consent to research")
    },
    (ADMITTED, "withdraw consent to take part"): ([ConsentChanged, WorkerWithdrawn, WithdrawalExplained], WITHDRAWN),
    **{(status, "fill in"): ([], status) for status in LIVE},
    **{(status, "describe"): ([WorkerProfiled], status) for status in LIVE},
    **{(status, "erase"): ([WorkerErased], ERASED) for status in (*LIVE, Status.MERGED)},
    (ERASED, "erase"): "erased",
    **{
        (status, command): status.value
        for status in (Status.MERGED, ERASED)
        for command in (
            "consent to take part",
            "withdraw consent to take part",
            "withdraw consent to research",
            "fill in",
            "describe",
        )
    },
}


def test_every_command_is_tried_in_every_status() -> None:
    assert OUTCOMES.keys() == set(product(Status, COMMANDS))


@pytest.mark.parametrize(("status", "command"), OUTCOMES, ids=lambda part: str(part).replace(" ", "-"))
def test_a_command_records_its_events_and_changes_the_status_or_is_refused(status: Status, command: str) -> None:
    worker, outcome = in_status(status), OUTCOMES[status, command]
    before = worker.model_dump()
    if isinstance(outcome, str):
        with pytest.raises(Refused) as refused:
            COMMANDS[command](worker)
        assert refused.value.code == outcome
        assert refused.value.kind is (Refusal.GONE if outcome == "erased" else Refusal.CONFLICT)
        assert (worker.model_dump(), recorded(worker)) == (before, [])
    else:
        COMMANDS[command](worker)
        assert ([type(each) for each in recorded(worker)], worker.status) == outcome


def test_a_referral_names_the_partner_and_keeps_its_trace() -> None:
    worker = referred()
    assert recorded(worker) == [WorkerReferred(partner="cisl")]
    assert (worker.status, worker.trace, worker.consents, worker.card, worker.profile) == (
        REFERRED,
        TRACE,
        {},
        {},
        None,
    )


def test_nobody_is_admitted_without_consent_to_take_part() -> None:
    worker = referred()
    for purpose in (Purpose.CONTACT, Purpose.RESEARCH, Purpose.PARTNER_FEEDBACK):
        decide(worker, purpose, True)
    with pytest.raises(Refused) as refused:
        worker.admit(AT)
    assert refused.value.code == "no-consent"
    decide(worker, Purpose.PARTICIPATION, True)
    decide(worker, Purpose.PARTICIPATION, False)
    with pytest.raises(Refused, match="has not consented"):
        worker.admit(AT)
    assert worker.status is REFERRED


@pytest.mark.parametrize("step", ["is admitted", "is declined"])
def test_admission_and_refusal_name_the_partner_that_referred(step: str) -> None:
    worker = in_status(REFERRED)
    TABLE[step].rule(worker)
    assert recorded(worker)[0].partner == "cisl"


@pytest.mark.parametrize("reason", Leaving)
def test_a_withdrawal_tells_everybody_if_work_was_found_and_its_reason_in_a_restricted_event(reason: Leaving) -> None:
    worker = in_status(ADMITTED)
    worker.withdraw(reason, AT)
    told = Leaving.FOUND_WORK if reason is Leaving.FOUND_WORK else Leaving.OTHER
    assert recorded(worker) == [WorkerWithdrawn(reason=told), WithdrawalExplained(reason=reason)]


@pytest.mark.parametrize("purpose", Purpose)
def test_a_decision_concerns_its_own_purpose_alone(purpose: Purpose) -> None:
    worker = referred()
    decide(worker, purpose, True)
    assert [each for each in Purpose if worker.consents_to(each)] == [purpose]
    assert worker.consents == {purpose: Consent(given=True, notice="2026-09", language="it", at=AT)}


@pytest.mark.parametrize("given", [True, False])
def test_the_later_decision_replaces_the_earlier_one_whole(given: bool) -> None:
    worker, later = referred(), AT + timedelta(days=3)
    decide(worker, Purpose.RESEARCH, not given)
    decide(worker, Purpose.RESEARCH, given, later, "2026-10")
    assert worker.consents[Purpose.RESEARCH] == Consent(given=given, notice="2026-10", language="it", at=later)
    assert worker.consents_to(Purpose.RESEARCH) is given
    assert [(each.data.given, each.at) for each in worker._events[1:]] == [(not given, AT), (given, later)]  # type: ignore[attr-defined]


def test_consent_to_take_part_that_is_withdrawn_withdraws_an_admitted_worker() -> None:
    worker = in_status(ADMITTED)
    decide(worker, Purpose.PARTICIPATION, False)
    told = ConsentChanged(purpose=Purpose.PARTICIPATION, given=False, notice="2026-09", language="it")
    left = WorkerWithdrawn(reason=Leaving.OTHER), WithdrawalExplained(reason=Leaving.CONSENT_WITHDRAWN)
    assert recorded(worker) == [told, *left]


@pytest.mark.parametrize("purpose", [Purpose.CONTACT, Purpose.RESEARCH, Purpose.PARTNER_FEEDBACK])
def test_any_other_consent_that_is_withdrawn_leaves_an_admitted_worker_where_they_are(purpose: Purpose) -> None:
    worker = in_status(ADMITTED)
    decide(worker, purpose, False)
    assert worker.status is ADMITTED


def test_the_latest_profile_replaces_the_earlier_one_whole() -> None:
    worker, newer = in_status(REFERRED), PROFILE.model_copy(update={"municipality": "lissone"})
    worker.describe(PROFILE, "older")
    worker.describe(newer, "newer")
    assert worker.profile == "newer"
    assert recorded(worker) == [PROFILE, newer]


@pytest.mark.parametrize("status", LIVE)
def test_erasure_leaves_the_id_the_partner_and_the_trace_alone(status: Status) -> None:
    worker = in_status(status)
    worker.describe(PROFILE, sealed(worker.id, "profile", "text"))
    worker.erase()
    assert worker.model_dump() == Worker(id="w1", partner="cisl", trace=TRACE, status=ERASED).model_dump()


def test_an_erasure_that_is_applied_to_an_erased_worker_changes_nothing() -> None:
    worker = in_status(ERASED)
    before = worker.model_dump()
    worker.apply(WorkerErased(), AT)
    assert worker.model_dump() == before


def test_a_card_is_kept_and_no_event_tells_it() -> None:
    worker = referred()
    worker.fill_in(CARD)
    assert worker.card == CARD
    assert recorded(worker) == [WorkerReferred(partner="cisl")]


def test_an_admission_is_not_moved_before_the_consent_to_take_part() -> None:
    worker = Worker.refer("w1", "cgil", AT)
    decide(worker, Purpose.PARTICIPATION, True, AT + timedelta(days=9))
    worker.admit(AT + timedelta(days=11))
    with pytest.raises(Refused) as refused:
        worker.redate(Step.ADMITTED, AT + timedelta(days=2))
    assert refused.value.code == "out-of-order"
    worker.redate(Step.ADMITTED, AT + timedelta(days=9))
    assert worker.admitted == AT + timedelta(days=9)


def test_whoever_asked_by_themselves_is_nobodys_referral() -> None:
    brought, came = (Worker.refer("w1", "afol", AT, origin=each) for each in (Origin.PARTNER, Origin.SELF))
    assert brought.is_referral_of("afol")
    assert not brought.is_referral_of("cgil")
    assert not came.is_referral_of("afol")
