"""The referrer's desk shows what the partner's feed may tell, as days, and nothing else."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrolment.projections import Progress
from enrolment.queries import OwnReferral, own_referral
from notifications.reactions.partners import _consents as feed_consents
from services.contracts import Event, feed
from services.contracts.enrolment import Purpose
from services.contracts.grouping import MemberJoined
from services.programmes import Programme, load_all, may_know
from services.programmes.model import FeedEntry
from services.store.consents import Consents, Decision
from services.store.work import Work

AT = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)  # the 2nd of March in Rome
STEPS = {
    "admitted": FeedEntry.ADMITTED,
    "declined": FeedEntry.DECLINED,
    "withdrawn": FeedEntry.WITHDREW,
    "seated": FeedEntry.SEATED,
}
ROW: dict[str, Any] = {
    "worker": "w", "person": "w", "partner": "cgil", "referred": AT, "admitted": AT + timedelta(days=1),
    "withdrawn": AT + timedelta(days=4), "reason": "illness", "waiting": AT, "seated": "2026-03-05", "left": "2026-03-07",
    "given": AT + timedelta(days=2, hours=12),
}  # fmt: skip
OWN = {"worker": "w", "partner": "cgil", "referred": date(2026, 3, 2)}


def agreeing(*entries: FeedEntry) -> Programme:
    """The shipped programme, with this agreement of the partner."""
    shipped = load_all()["monza-brianza"]
    partners = [
        each.model_copy(update={"feed": entries or None}) if each.id == "cgil" else each for each in shipped.partners
    ]
    return shipped.model_copy(update={"partners": tuple(partners)})


ALL = agreeing(*FeedEntry)


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
    expected = (
        {name for name, entry in STEPS.items() if entry in agreed and name in ROW}
        if participation and feedback
        else set()
    )
    assert row.keys() == {*OWN, *expected}
    assert {name: row[name] for name in OWN} == OWN


def test_every_date_is_a_local_day_and_neither_the_list_the_end_of_a_seat_nor_a_reason_is_shown() -> None:
    both = deciding((Purpose.PARTICIPATION, True, -1), (Purpose.PARTNER_FEEDBACK, True, -1))
    assert shown(own_referral(ROW, agreeing(*FeedEntry), both)) == OWN | {
        "admitted": date(2026, 3, 3), "seated": date(2026, 3, 5), "withdrawn": date(2026, 3, 6),
    }  # fmt: skip


@pytest.mark.parametrize(("days", "told"), [(3, "withdrawn"), (5, "declined")])
def test_of_two_ends_the_later_one_is_shown(days: int, told: str) -> None:
    both = deciding((Purpose.PARTICIPATION, True, -1), (Purpose.PARTNER_FEEDBACK, True, -1))
    row = shown(own_referral({**ROW, "declined": AT + timedelta(days=days)}, agreeing(*FeedEntry), both))
    assert {"declined", "withdrawn"} & row.keys() == {told}


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


@pytest.mark.parametrize("row", [ROW, {name: value for name, value in ROW.items() if name != "given"}])
def test_a_seat_that_was_given_under_a_refusal_is_not_shown_though_it_begins_under_a_consent(
    row: dict[str, Any],
) -> None:
    """Given between days 2 and 3, for a first meeting on day 30; refused until day 4. Without the moment, any refusal counts."""
    consents = deciding(
        (Purpose.PARTICIPATION, True, -1), (Purpose.PARTNER_FEEDBACK, False, 2), (Purpose.PARTNER_FEEDBACK, True, 4)
    )
    told = shown(own_referral(row | {"seated": "2026-03-31"}, agreeing(*FeedEntry), consents))
    assert told.keys() == {*OWN, "withdrawn"}


@given(
    decided=st.lists(
        st.tuples(
            st.sampled_from([Purpose.PARTICIPATION, Purpose.PARTNER_FEEDBACK]), st.booleans(), st.integers(-2, 8)
        ),
        max_size=6,
    ),
    moment=st.integers(0, 6),
    waits=st.integers(0, 40),
)
async def test_the_desk_shows_a_seat_exactly_when_the_feed_would_tell_it(
    decided: list[tuple[Purpose, bool, int]], moment: int, waits: int
) -> None:
    consents, at = deciding(*decided), AT + timedelta(days=moment)
    joined = MemberJoined(worker="w", since=(at + timedelta(days=waits)).date())
    event = Event("e", "/programmes/p/grouping", joined.type, "g", at, at, 1, joined)
    answer = await feed_consents("w", event, cast("Work", Asked(consents)))
    told = feed.Seated.type in may_know("cgil", ALL, answer)
    rows = Kept({"worker": "w", "partner": "cgil", "referred": AT, "admitted": AT})
    Progress().seated(event, rows)
    assert (own_referral(rows.row, ALL, consents).seated is not None) == told


@dataclass
class Asked:
    """A work that knows one person's consents."""

    known: Consents

    async def consents(self, _: str) -> Consents:
        return self.known


@dataclass
class Kept:
    """One row of a projection."""

    row: dict[str, Any]

    def set(self, key: str, *, person: str | None = None, **facts: Any) -> None:
        """Keep the facts in their stored form: a day is its ISO text."""
        stored = {name: each.isoformat() if type(each) is date else each for name, each in facts.items()}
        self.row |= {"person": person, **stored}

    def drop(self, key: str) -> None:
        self.row.clear()
