"""The read of a person's data: in the clear, and logged."""

import pytest

from enrolment.domain import Status
from enrolment.queries import read_person
from services.contracts.enrolment import Purpose
from services.kernel import Refusal, Refused
from tests.enrolment.memory import MemoryWork
from tests.enrolment.workers import AT, PROFILE, in_status, recorded, sealed


async def test_a_person_is_read_in_the_clear_and_the_read_is_logged() -> None:
    worker = in_status(Status.ADMITTED)
    worker.card = {"given_name": sealed("w1", "given_name", "Ada")}
    worker.profile = sealed("w1", "profile", PROFILE.model_dump_json())
    work = MemoryWork(worker)
    person = await read_person(work.as_work, "w1")
    assert (person.worker, person.partner, person.status, person.version) == ("w1", "cisl", Status.ADMITTED, 7)
    assert person.card == {"given_name": "Ada"}
    assert person.profile == PROFILE.model_dump(mode="json")
    at = AT.isoformat().replace("+00:00", "Z")
    given = {"given": True, "notice": "2026-09", "language": "it", "at": at, "how": None} | {
        "recorded_by": None,
        "recorder": None,
    }
    assert person.consents == {Purpose.PARTICIPATION.value: given}
    assert work.accesses == [("w1", "person")]


async def test_a_read_changes_nothing_and_guards_nothing() -> None:
    worker = in_status(Status.REFERRED)
    work, before = MemoryWork(worker), worker.model_dump()
    await read_person(work.as_work, "w1")
    assert (worker.model_dump(), recorded(worker), work.guarded) == (before, [], [])


async def test_nothing_is_left_to_read_or_to_log_of_an_erased_person() -> None:
    work = MemoryWork(in_status(Status.ERASED))
    person = await read_person(work.as_work, "w1")
    assert (person.status, person.card, person.profile, person.consents) == (Status.ERASED, {}, None, {})
    assert work.accesses == []


async def test_a_worker_whom_nobody_referred_cannot_be_read() -> None:
    with pytest.raises(Refused) as refused:
        await read_person(MemoryWork().as_work, "nobody")
    assert refused.value.kind is Refusal.NOT_FOUND
