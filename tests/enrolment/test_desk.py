"""The referrer's desk shows what the partner's feed may tell, as days, and nothing else."""

from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from enrolment.queries import OwnReferral, own_referral
from services.contracts.enrolment import Purpose
from services.programmes import Programme, load_all
from services.programmes.model import FeedEntry
from services.store.consents import Consents, Decision

AT = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)  # the 2nd of March in Rome
STEPS = {
    "admitted": FeedEntry.ADMITTED,
    "declined": FeedEntry.DECLINED,
    "withdrawn": FeedEntry.WITHDREW,
    "seated": FeedEntry.SEATED,
}
ROW: dict[str, Any] = {
    "worker": "w", "person": "w", "partner": "cgil", "referred": AT, "admitted": AT + timedelta(days=1), "declined": AT + timedelta(days=2),
    "withdrawn": AT + timedelta(days=4), "reason": "illness", "waiting": AT, "seated": "2026-03-05", "left": "2026-03-07",
}  # fmt: skip
OWN = {"worker": "w", "partner": "cgil", "referred": date(2026, 3, 2)}


def agreeing(*entries: FeedEntry) -> Programme:
    """The shipped programme, with this agreement of the partner."""
    shipped = load_all()["monza-brianza"]
    partners = [
        each.model_copy(update={"feed": entries or None}) if each.id == "cgil" else each for each in shipped.partners
    ]
    return shipped.model_copy(update={"partners": tuple(partners)})


def deciding(*decided: tuple[Purpose, bool, int]) -> Consents:
    """Decisions, each so many days after the referral."""
    made = [Decision(purpose, given, AT + timedelta(days=day), n) for n, (purpose, given, day) in enumerate(decided)]
    return Consents("p/w", "p", tuple(each.document() for each in made))


def shown(row: OwnReferral) -> dict[str, Any]:
    return row.model_dump(exclude_none=True)


@pytest.mark.parametrize(("participation", "feedback"), product([True, False, None], repeat=2))
@pytest.mark.parametrize("agreed", [(), (FeedEntry.ADMITTED,), tuple(FeedEntry)], ids=["none", "admission", "all"])
def test_a_step_is_shown_by_agreement_and_both_consents_alone(
    agreed: tuple[FeedEntry, ...], participation: bool | None, feedback: bool | None
) -> None:
    decided = {Purpose.PARTICIPATION: participation, Purpose.PARTNER_FEEDBACK: feedback}
    consents = deciding(*((purpose, given, -1) for purpose, given in decided.items() if given is not None))
    row = shown(own_referral(ROW, agreeing(*agreed), consents))
    expected = {name for name, entry in STEPS.items() if entry in agreed} if participation and feedback else set()
    assert row.keys() == {*OWN, *expected}
    assert {name: row[name] for name in OWN} == OWN


def test_every_date_is_a_local_day_and_neither_the_list_the_end_of_a_seat_nor_a_reason_is_shown() -> None:
    both = deciding((Purpose.PARTICIPATION, True, -1), (Purpose.PARTNER_FEEDBACK, True, -1))
    assert shown(own_referral(ROW, agreeing(*FeedEntry), both)) == OWN | {
        "admitted": date(2026, 3, 3), "declined": date(2026, 3, 4), "seated": date(2026, 3, 5), "withdrawn": date(2026, 3, 6),
    }  # fmt: skip


def test_a_seat_is_shown_after_the_admission() -> None:
    both = deciding((Purpose.PARTICIPATION, True, -1), (Purpose.PARTNER_FEEDBACK, True, -1))
    waiting = {name: value for name, value in ROW.items() if name != "admitted"}
    assert "seated" not in shown(own_referral(waiting, agreeing(*FeedEntry), both))


def test_what_happened_before_a_refusal_stays_unknown_after_a_new_consent() -> None:
    again = deciding(
        (Purpose.PARTICIPATION, True, -1),
        (Purpose.PARTNER_FEEDBACK, True, -1),
        (Purpose.PARTNER_FEEDBACK, False, 3),
        (Purpose.PARTNER_FEEDBACK, True, 3),
    )
    row = shown(own_referral(ROW, agreeing(*FeedEntry), again))
    assert row.keys() == {*OWN, "withdrawn"}
