"""Identity, ways to reach a person, and the lost work: kept sealed, found again by a digest, and told to those alone who need it."""

from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from enrolment import commands as do
from enrolment import questions
from enrolment.domain import Status
from enrolment.facts import CallTime, LostWork, Way
from enrolment.people.forms import CARD, PROFILE, Card
from enrolment.referral.forms import FORM
from services import vault
from services.contracts.enrolment import Purpose, WorkerProfiled
from tests.enrolment.memory import KEY, MemoryWork
from tests.enrolment.workers import decide, in_status, sealed

FISCAL = "RSSMRA80A01F704F"
IDENTITY = {"given_name": "Ada", "family_name": "Prova", "language": "it", "fiscal_code": FISCAL, "not_by": "sms"}


async def test_a_referral_keeps_the_digest_of_the_tax_code_and_the_code_sealed() -> None:
    work = MemoryWork()
    made = await do.refer(do.Refer(partner="prova", card=IDENTITY), work.as_work)
    worker = work.workers[made["worker"]]
    assert worker.fiscal == f"digest of {FISCAL}"
    assert worker.card["fiscal_code"] == sealed(worker.id, "fiscal_code", FISCAL)


async def test_a_correction_replaces_the_digest_and_an_erasure_empties_it() -> None:
    worker = in_status(Status.REFERRED)
    work = MemoryWork(worker)
    await do.correct(do.Correct(worker="w1", card=IDENTITY), work.as_work)
    assert worker.fiscal == f"digest of {FISCAL}"
    await do.erase(do.Erase(worker="w1"), work.as_work)
    assert worker.fiscal is None
    other = in_status(Status.REFERRED)
    other.fiscal = "an old one"
    await do.correct(do.Correct(worker="w1", card={"given_name": "Ada"}), MemoryWork(other).as_work)
    assert other.fiscal is None


async def test_the_wishes_go_with_the_card_and_the_tax_code_never_leaves_enrolment() -> None:
    worker = in_status(Status.ADMITTED)
    decide(worker, Purpose.CONTACT, True)
    work = MemoryWork(worker)
    await do.correct(do.Correct(worker="w1", card=IDENTITY), work.as_work)
    [(_, _, value)] = work.records
    assert value is not None
    told = orjson.loads(vault.decrypt_payload(KEY, value.decode()))
    assert told == {name: text for name, text in IDENTITY.items() if name != "fiscal_code"}


@pytest.mark.parametrize(
    "given",
    [
        {"email": "ada@example.org", "not_by": ["mail"]},
        {"phone": "3331234567", "not_by": ["sms", "call"]},
        {"email": "a@example.org", "phone": "3331234567", "not_by": ["mail", "sms", "call"]},
    ],
)
def test_one_way_to_reach_the_person_stays_open(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="one way"):
        Card(given_name="Ada", family_name="Prova", language="it", **given)


def test_a_card_is_texts_and_comes_back_as_it_was_chosen() -> None:
    card = Card(
        given_name="Ada",
        family_name="Prova",
        language="it",
        phone="3331234567",
        not_by=[Way.SMS],
        call_at=[CallTime.EVENING],
    )
    kept = card.filled()
    assert all(isinstance(each, str) for each in kept.values())
    before = Card.before(kept)
    assert (before["not_by"], before["call_at"]) == (["sms"], ["evening"])
    assert Card.model_validate(before) == card


def test_every_field_of_the_lost_work_is_in_the_event_and_in_both_forms() -> None:
    assert LostWork.model_fields.keys() <= WorkerProfiled.model_fields.keys()
    assert LostWork.model_fields.keys() <= PROFILE.fields.keys() & FORM.fields.keys()


def test_every_choice_of_a_form_is_one_that_the_model_takes() -> None:
    for each in questions.LOST_WORK:
        for value in dict(each.options):
            assert str(getattr(LostWork.model_validate({each.name: value}), each.name)) == value


@pytest.mark.parametrize("form", [CARD, PROFILE, FORM], ids=["card", "profile", "referral"])
def test_what_is_asked_says_why(form: Any) -> None:
    silent = {name for name, each in form.fields.items() if not each.why}
    # Answers of which the label says the purpose itself.
    assert silent <= {"seen", "language", "among", "not_before", "needs_access"}
