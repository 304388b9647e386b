"""Transient errors never make a dead letter: the database restarted, electing, refusing a transaction for its age or size, or in conflict.

Every test allows an event a single failure (`once`), so that one that is counted by mistake is seen.
"""

import asyncio
from typing import Any

import pytest

from services.contracts import Event
from services.contracts.enrolment import WorkerReferred
from services.events.delivery.declare import Reactions
from services.events.inbox import batches, dead_letters
from services.runtime.consumers import Consumers
from services.runtime.service import Service
from services.store.errors import Uncertain
from services.store.mongo import InsertOne, ReplaceOne, Transaction
from services.store.work import Work
from tests.helpers.own_engines import (
    Apart,
    event,
    from_now_on,
    listening,
    noted,
    noting,
    subjects,
    tell,
    until_dead,
    until_noted,
)
from tests.helpers.waiting import eventually


@pytest.fixture
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an event fail once only, and try a whole batch for a moment only."""
    monkeypatch.setattr(batches, "ATTEMPTS", 1)
    monkeypatch.setattr(batches, "PATIENCE", 0.2)


async def ready(service: Service, *told: Event[Any]) -> None:
    """Send these so that they make the first batch of the service."""
    await from_now_on(service, "reactions")
    for name in ("noted", "other"):
        await service.store.make(name)
    await tell(service.bus, *told, partition=0)


async def all_once(service: Service, *wanted: str) -> None:
    """Check that each has taken effect, and that no dead letter was made."""
    await until_noted(service, {each: [1] for each in wanted}, 90)
    assert await dead_letters.listed(service.store, closed=True) == []
    assert not service.tasks.over


@pytest.mark.parametrize("moment", ["between two events", "before the commit"])
async def test_a_database_that_is_killed_in_the_midst_of_a_batch_doubles_loses_and_buries_nothing(
    apart: Apart, once: None, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    some, killed = subjects(4), asyncio.Event()

    async def kill(now: str) -> None:
        if now == moment and not killed.is_set():
            await apart.kill_mongo()
            killed.set()

    async def within(event: Event[Any]) -> None:
        if event.subject == some[2]:
            await kill("between two events")

    service = apart.service(noting([], within))
    reacting = Consumers.reacting

    def start(consumers: Consumers, transaction: Transaction) -> Any:
        effect, end = reacting(consumers, transaction)

        async def last() -> Any:
            said = await end()
            await kill("before the commit")
            return said

        return effect, last

    monkeypatch.setattr(Consumers, "reacting", start)
    await ready(service, *(event(each, 1) for each in some))
    async with listening(service):
        await asyncio.wait_for(killed.wait(), 60)
        await apart.start_mongo()
        await all_once(service, *some)


async def test_an_election_is_waited_out_and_counts_against_no_event(apart: Apart, once: None) -> None:
    (one,), tries = subjects(1), 0

    async def step_down(event: Event[Any]) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            await apart.admin({"replSetStepDown": 3, "force": True})

    service = apart.service(noting([], step_down))
    await ready(service, event(one, 1))
    async with listening(service):
        await all_once(service, one)
    assert tries > 1


async def test_a_batch_that_is_older_than_a_transaction_may_be_is_halved_and_one_slow_event_is_tried_again(
    apart: Apart, once: None, caplog: pytest.LogCaptureFixture
) -> None:
    some, (slow,) = subjects(2), subjects(1)

    async def take_long(event: Event[Any]) -> None:
        too_long = event.subject == slow and "event waits for an engine" not in caplog.text
        await asyncio.sleep(2.2 if too_long else 0.2)

    service = apart.service(noting([], take_long))
    await ready(service, *(event(each, 1) for each in some), event(slow, 1))
    await apart.admin({"setParameter": 1, "transactionLifetimeLimitSeconds": 1})
    try:
        async with listening(service):
            await all_once(service, *some, slow)
    finally:
        await apart.admin({"setParameter": 1, "transactionLifetimeLimitSeconds": 60})
    assert "batch is tried in halves" in caplog.text
    assert "event waits for an engine" in caplog.text


@pytest.mark.parametrize(("number", "halved"), [(120, False), (270, True)])
async def test_a_batch_of_24_megabytes_is_one_transaction_and_one_of_54_that_the_cache_cannot_hold_is_halved(
    apart: Apart, once: None, caplog: pytest.LogCaptureFixture, number: int, halved: bool
) -> None:
    some, reactions = subjects(number), Reactions()

    @reactions.on(WorkerReferred)
    async def write_much(event: Event[WorkerReferred], work: Work) -> None:
        entry = {"_id": event.id, "subject": event.subject, "sequence": 1, "much": bytes(200_000)}
        await work._unit.write("noted", [InsertOne(entry)])

    service = apart.service(reactions)
    await ready(service, *(event(each, 1) for each in some))
    async with listening(service):
        await all_once(service, *some)
        await service.store["noted"].drop()
    assert ("batch is tried in halves" in caplog.text) == halved


async def test_a_conflict_that_lasts_is_waited_out(apart: Apart, once: None, caplog: pytest.LogCaptureFixture) -> None:
    (one,), held, let_go = subjects(1), asyncio.Event(), asyncio.Event()

    reactions = Reactions()

    @reactions.on(WorkerReferred)
    async def contend(event: Event[WorkerReferred], work: Work) -> None:
        for name in ("other", "noted"):
            entry = {"subject": event.subject, "sequence": 1}
            await work._unit.write(name, [ReplaceOne({"_id": 1}, entry, upsert=True)])

    service = apart.service(reactions)
    await ready(service, event(one, 1))

    async def hold(transaction: Transaction) -> None:
        await service.store.write("other", [ReplaceOne({"_id": 1}, {"by": "somebody"}, upsert=True)], transaction)
        held.set()
        await let_go.wait()

    holding = asyncio.create_task(service.store.transaction(hold))
    await held.wait()
    async with listening(service):

        async def waiting() -> bool:
            return caplog.text.count("event waits for an engine") >= 2

        await eventually(waiting)
        assert await noted(service, one) == {one: []}
        let_go.set()
        await holding
        await all_once(service, one)


async def test_an_event_that_inserts_what_was_there_before_is_no_passing_conflict_and_dies(apart: Apart) -> None:
    (bad, good), service = subjects(2), apart.service(noting([]))
    await ready(service, event(bad, 1), event(good, 1))
    await service.store["noted"].insert_one({"_id": f"{bad}-1"})
    async with listening(service):
        await until_noted(service, {good: [1]})
        (dead_letter,) = await until_dead(service, f"{bad}-1")
        assert dead_letter["why"].startswith("AlreadyStored at ")


async def test_when_nobody_says_whether_it_was_committed_the_work_is_not_done_again_unasked(apart: Apart) -> None:
    service, ran = apart.service(Reactions()), 0
    await service.store.make("other")

    async def body(transaction: Transaction) -> None:
        nonlocal ran
        ran += 1
        await service.store.insert("other", [{"_id": f"{ran}"}], transaction)
        await apart.admin({"replSetStepDown": 60, "force": True})

    try:
        with pytest.raises(Uncertain):
            await service.store.transaction(body, patience=60)
        assert ran == 1
    finally:
        await apart.admin({"replSetFreeze": 0})
        await apart.elects(service)
        await service.stop()
