"""Records of one person by the rules: what is alike, what is judged, and what a merge does to consents and to an erasure."""

from datetime import timedelta

import pytest

from enrolment import commands as do
from enrolment.domain import Status, Worker
from enrolment.domain.twins import WAITS
from enrolment.duplicates import commands as judge
from services.contracts.enrolment import DuplicateJudged, Judgement, Purpose, WorkerMerged
from services.contracts.topics import CONTACTS
from services.kernel import Refused
from tests.enrolment.memory import MemoryWork
from tests.enrolment.workers import AT, decide, in_status

ADA = {"given_name": "Ada", "family_name": "D'Angelo", "language": "it", "birth_year": "1970"}


async def referred(work: MemoryWork, **card: str) -> Worker:
    refer = do.Refer(partner="prova", card={**ADA, **card})
    made = await do.refer(refer, work.as_work)
    return work.workers[made["worker"]]


async def two(work: MemoryWork, **card: str) -> tuple[Worker, Worker]:
    return await referred(work, **card), await referred(work, **card)


@pytest.mark.parametrize(
    ("first", "second", "alike"),
    [
        ({}, {}, True),
        ({}, {"given_name": "dangelo", "family_name": "ADA"}, True),
        ({}, {"birth_year": "1971"}, False),
        ({"email": "ada@example.org"}, {"birth_year": "", "email": "ADA@example.org"}, True),
        ({"phone": "+39333"}, {"birth_year": "1980", "phone": "+39333"}, True),
        ({"phone": "+39333"}, {"given_name": "Bea", "phone": "+39333"}, False),
        ({"fiscal_code": "X"}, {"given_name": "Bea", "birth_year": "1980", "fiscal_code": "X"}, True),
        ({"birth_year": ""}, {"birth_year": ""}, False),
    ],
)
async def test_the_same_tax_code_or_the_same_name_with_something_more_is_alike(
    first: dict[str, str], second: dict[str, str], alike: bool
) -> None:
    work = MemoryWork()
    one, other = await referred(work, **first), await referred(work, **second)
    assert other.alike == ((one.id,) if alike else ())
    assert one.alike == (), "a pair is kept once, on the later record"


async def test_a_correction_finds_those_that_are_alike_now_and_forgets_the_others() -> None:
    work = MemoryWork()
    one, other = await two(work)
    await do.correct(do.Correct(worker=other.id, card={**ADA, "given_name": "Bea"}), work.as_work)
    assert [*other.alike] == []
    await do.correct(do.Correct(worker=other.id, card=ADA), work.as_work)
    assert [*other.alike] == [one.id]


async def test_records_that_were_judged_to_be_of_two_people_are_not_alike_again() -> None:
    work = MemoryWork()
    one, other = await two(work)
    await judge.part(judge.Part(worker=one.id, other=other.id), work.as_work)
    assert (one.distinct, other.distinct, other.alike) == ((other.id,), (one.id,), ())
    await do.correct(do.Correct(worker=other.id, card=ADA), work.as_work)
    assert other.alike == ()
    await judge.undo(judge.Undo(worker=one.id, other=other.id), work.as_work)
    assert [[*each] for each in (one.alike, other.alike, one.distinct)] == [[], [one.id], []]


async def test_a_merge_waits_a_day_and_can_be_taken_back_from_either_side_until_then() -> None:
    work = MemoryWork()
    one, other = await two(work)
    planned = await judge.merge(judge.Merge(worker=other.id, into=one.id), work.as_work)
    assert planned == {"due": AT + WAITS}
    assert (other.alike, one.expects) == ((), (other.id,))
    assert await judge.end_merged(judge.EndMerged(worker=other.id), work.as_work) == {"ended": False}
    await judge.undo(judge.Undo(worker=one.id, other=other.id), work.as_work)
    assert (other.merging, one.expects, other.alike) == (None, (), (one.id,))
    work.now = AT + WAITS
    assert await judge.end_merged(judge.EndMerged(worker=other.id), work.as_work) == {"ended": False}


async def test_after_a_day_the_record_ends_and_consents_count_by_their_day() -> None:
    one, other = in_status(Status.ADMITTED, "w1"), in_status(Status.REFERRED, "w2")
    for each in (one, other):
        each.consents = {}
        decide(each, Purpose.PARTICIPATION, True)
    decide(one, Purpose.CONTACT, True, AT + timedelta(hours=1))
    decide(other, Purpose.CONTACT, False, AT + timedelta(hours=2))
    decide(one, Purpose.RESEARCH, False, AT + timedelta(hours=4))
    decide(other, Purpose.RESEARCH, True, AT + timedelta(hours=3))
    work = MemoryWork(one, other)
    await judge.merge(judge.Merge(worker="w2", into="w1"), work.as_work)
    work.now = AT + WAITS
    assert await judge.end_merged(judge.EndMerged(worker="w2"), work.as_work) == {"ended": True}
    assert (other.status, other.into, one.absorbed, one.status) == (Status.MERGED, "w1", ("w2",), Status.ADMITTED)
    assert (one.consents_to(Purpose.CONTACT), one.consents_to(Purpose.RESEARCH)) == (False, False)
    cards = [(topic, subject) for topic, subject, value in work.records if topic == CONTACTS.name and value is None]
    assert cards == [(CONTACTS.name, "w1"), (CONTACTS.name, "w2")], "contact was refused: no card stays on the bus"
    assert [each.data for each in other._events if isinstance(each.data, WorkerMerged)] == [WorkerMerged(into="w1")]


async def test_whoever_got_a_seat_meanwhile_is_not_merged_away() -> None:
    work = MemoryWork()
    one, other = await two(work)
    await judge.merge(judge.Merge(worker=other.id, into=one.id), work.as_work)
    other.sit("g1")
    work.now = AT + WAITS
    assert await judge.end_merged(judge.EndMerged(worker=other.id), work.as_work) == {"ended": False}
    assert (other.status, other.merging, other.alike) == (Status.REFERRED, None, (one.id,))
    with pytest.raises(Refused) as refused:
        await judge.merge(judge.Merge(worker=other.id, into=one.id), work.as_work)
    assert refused.value.code == "seat-ends"


@pytest.mark.parametrize("state", ["alike", "planned", "expected", "distinct"])
async def test_an_erasure_leaves_no_trace_in_records_of_other_people_and_takes_none_that_may_be_undone(
    state: str,
) -> None:
    work = MemoryWork()
    one, other = await two(work)
    if state == "planned":
        await judge.merge(judge.Merge(worker=one.id, into=other.id), work.as_work)
    elif state == "expected":
        await judge.merge(judge.Merge(worker=other.id, into=one.id), work.as_work)
    elif state == "distinct":
        await judge.part(judge.Part(worker=one.id, other=other.id), work.as_work)
    await do.erase(do.Erase(worker=one.id), work.as_work)
    assert one.status is Status.ERASED
    assert (one.hints, one.alike, one.fiscal) == ((), (), None)
    assert other.status is Status.REFERRED, "the merge was not said: they may be two people"
    assert not other.names(one.id)
    assert work.destroyed == [one.id]


async def test_the_erasure_of_a_merged_person_takes_every_record_of_theirs() -> None:
    work = MemoryWork()
    one, other = await two(work)
    await judge.merge(judge.Merge(worker=other.id, into=one.id), work.as_work)
    work.now = AT + WAITS
    await judge.end_merged(judge.EndMerged(worker=other.id), work.as_work)
    await do.erase(do.Erase(worker=other.id), work.as_work)
    assert (one.status, other.status) == (Status.ERASED, Status.ERASED)
    assert sorted(work.destroyed) == sorted([one.id, other.id])


def test_the_judgement_names_the_other_record_and_no_reason() -> None:
    assert set(DuplicateJudged.model_fields) == {"other", "judgement", "due"}
    assert {each.value for each in Judgement} == {"same", "different", "open"}
