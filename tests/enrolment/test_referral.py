"""The referrer's form as one command: the referral, what is known of the profile, and the consents, all of it or nothing."""

from typing import Any

import orjson
import pytest

from enrolment.domain import Status, Worker
from enrolment.queries import read_person
from enrolment.referral import commands as do
from services.contracts.enrolment import ConsentChanged, How, Origin, Purpose, WorkerProfiled, WorkerReferred
from services.contracts.topics import CONTACTS
from services.kernel import Refused
from tests.enrolment.memory import MemoryWork
from tests.enrolment.workers import PROFILE, in_status, recorded, sealed

CARD = {"given_name": "Ada", "family_name": "Prova", "email": "ada@example.org", "language": "it"}
WHOLE = do.Sketch(municipality="monza", slots=("monday",), gender="f", birth_year=1971)


async def refer(work: MemoryWork, **changes: Any) -> Worker:
    command = do.ReferTogether(**{"partner": "prova", "card": CARD, "notice": "1", **changes})
    return work.workers[(await do.refer_together(command, work.as_work))["worker"]]


async def test_a_referral_alone_records_no_consent_and_no_refusal() -> None:
    worker = await refer(MemoryWork())
    assert recorded(worker) == [WorkerReferred(partner="prova", origin=Origin.PARTNER)]
    assert (worker.consents, worker.profile, worker.sketch) == ({}, None, None)


async def test_consents_are_recorded_with_the_notice_and_how_they_were_given() -> None:
    given = frozenset({Purpose.PARTICIPATION, Purpose.CONTACT})
    work = MemoryWork()
    worker = await refer(work, given=given, how=How.SIGNED_PAPER, language="it")
    said = [each for each in recorded(worker) if isinstance(each, ConsentChanged)]
    assert said == [
        ConsentChanged(purpose=each, given=True, notice="1", language="it", how=How.SIGNED_PAPER)
        for each in (Purpose.CONTACT, Purpose.PARTICIPATION)
    ]
    assert [(topic, value is not None) for topic, _, value in work.records] == [(CONTACTS.name, True)]


async def test_what_can_be_matched_on_becomes_the_profile() -> None:
    worker = await refer(MemoryWork(), sketch=WHOLE)
    [profile] = [each for each in recorded(worker) if isinstance(each, WorkerProfiled)]
    assert (profile.municipality, profile.slots, profile.gender, profile.birth_year) == (
        "monza",
        ("monday",),
        "f",
        1971,
    )
    assert worker.sketch is None


@pytest.mark.parametrize("missing", [{"slots": ()}, {"municipality": None}], ids=["when", "where"])
async def test_too_little_to_match_on_is_kept_sealed_and_told_to_nobody(missing: dict[str, Any]) -> None:
    sketch = WHOLE.model_copy(update=missing)
    worker = await refer(MemoryWork(), sketch=sketch)
    assert recorded(worker) == [WorkerReferred(partner="prova", origin=Origin.PARTNER)]
    assert worker.sketch is not None
    kept = orjson.loads(worker.sketch.removeprefix(sealed(worker.id, "sketch", "")))
    assert do.Sketch.model_validate(kept) == sketch


async def test_whoever_reads_the_person_sees_what_the_referrer_knew_until_there_is_a_profile() -> None:
    work = MemoryWork()
    worker = await refer(work, sketch=do.Sketch(birth_year=1971))
    assert (await read_person(work.as_work, worker.id)).sketch == {"birth_year": 1971}
    worker.describe(PROFILE, sealed(worker.id, "profile", PROFILE.model_dump_json()))
    assert (await read_person(work.as_work, worker.id)).sketch is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"partner": "cassa"}, "no-referrer"),
        ({"sketch": do.Sketch(municipality="monza", slots=("never",))}, "no-such-slot"),
        ({"given": frozenset({Purpose.CONTACT}), "notice": "banana"}, "no-such-notice"),
        ({"given": frozenset({Purpose.CONTACT}), "language": "zz"}, "no-such-language"),
    ],
)
async def test_what_the_programme_does_not_know_refuses_all_of_it(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refused:
        await refer(MemoryWork(), **changes)
    assert refused.value.code == code


def test_an_erasure_empties_what_the_referrer_knew() -> None:
    worker = in_status(Status.REFERRED)
    worker.outline("sealed")
    worker.erase()
    assert worker.sketch is None


def test_nothing_is_a_sketch_of_nothing() -> None:
    assert not do.Sketch()
    assert do.Sketch(gender="x")
