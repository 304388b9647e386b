"""The memory of a consumer: it is never acted on once it is not true any more, whoever changed it.

The module has over 300 lines, since the breaches of the memory are tried on what the other tests play.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from services.contracts import Event, encode
from services.contracts.enrolment import ConsentChanged, Purpose, WorkerErased, WorkerReferred
from services.events.delivery.declare import Reactions
from services.events.delivery.state import Record
from services.events.inbox import batches as inbox_batches
from services.events.inbox import dead_letters, memory
from services.events.inbox.batches import Batches
from services.events.inbox.documents import offset_document, offset_id
from services.events.inbox.gate import GATE
from services.events.inbox.gate_reading import concerns_gate
from services.events.inbox.gate_taking import take_in_any_order
from services.events.inbox.memory import Memory
from services.events.inbox.runner import ConsumerRunner
from services.runtime.consumers import Consumers
from services.runtime.service import Service, running
from services.settings import Settings
from services.store.clock import now_utc
from services.store.fence import fence
from services.store.mongo import UpdateOne
from services.store.work import Work
from services.vault.keyring import service_holder
from tests.system.chaos import breaches

PROGRAMME, TOPIC = "jobs2", "ama.enrolment"
SOURCE = f"/programmes/{PROGRAMME}/enrolment"
Before = Callable[[Event[Any]], Awaitable[None]]


class World:
    """A service whose reaction lists the sequences that took effect, and copies of its consumer, without a bus."""

    def __init__(self, settings: Settings) -> None:
        own, reactions = settings.model_copy(update={"database": f"m{uuid.uuid4().hex[:10]}"}), Reactions()
        self.before: Before | None = None

        async def push(event: Event[Any], work: Work) -> None:
            if self.before is not None:
                await self.before(event)
            entry = {"$push": {"sequences": event.sequence}}
            await work._unit.write("pushed", [UpdateOne({"_id": event.subject}, entry, upsert=True)])

        for kind in (WorkerReferred, ConsentChanged):
            reactions.on(kind)(push)
        self.service = Service("grouping", own, holder=service_holder("grouping", own.keys), reactions=reactions)

    def copy(self) -> Batches:
        """The consumer of one copy of the service, with a memory of its own."""
        return Batches("reactions", self.service.store, Consumers(self.service).reacting, self.service.metrics, 25)

    def gate(self) -> Batches:
        begin = Consumers(self.service).gating
        return Batches(GATE, self.service.store, begin, self.service.metrics, 25, taking=take_in_any_order)

    async def effects(self, subject: str = "w") -> list[int]:
        """The sequences that took effect, in their order."""
        found = await self.service.store["pushed"].find_one({"_id": subject})
        return list(found["sequences"]) if found else []

    async def fences(self) -> set[str]:
        return {each["fence"] async for each in self.service.store["offsets"].find()}


@pytest_asyncio.fixture
async def world(settings: Settings) -> AsyncIterator[World]:
    made = World(settings)
    async with running(made.service, []):
        await made.service.store.make("pushed")
        for consumer in ("reactions", GATE):  # as an assignment makes them
            for partition in range(2):
                await made.service.store["offsets"].insert_one(offset_document(consumer, (TOPIC, partition), 0))
        yield made


def record(sequence: int, subject: str = "w", *, at: int | None = None, partition: int = 0, id: str = "") -> Record:
    """The event of this sequence, at the offset before it unless it is given."""
    first = WorkerReferred(partner="afol")
    later = ConsentChanged(purpose=Purpose.CONTACT, given=True, notice="1", language="it")
    data, now = first if sequence == 1 else later, now_utc()
    event: Event[Any] = Event(id or f"{subject}-{sequence}", SOURCE, data.type, subject, now, now, sequence, data)
    return Record(TOPIC, partition, sequence - 1 if at is None else at, subject.encode(), encode(event))


def erasure(subject: str, sequence: int, at: int) -> Record:
    now = now_utc()
    event = Event(f"{subject}-{sequence}", SOURCE, WorkerErased.type, subject, now, now, sequence, WorkerErased())
    return Record(TOPIC, 0, at, subject.encode(), encode(event))


def once() -> tuple[asyncio.Event, asyncio.Event, Before]:
    """A pause for the first caller alone: what tells that it was reached, what ends it, and the pause."""
    reached, over = asyncio.Event(), asyncio.Event()

    async def pause(_: Event[Any]) -> None:
        if not reached.is_set():
            reached.set()
            await over.wait()

    return reached, over, pause


async def two_copies(world: World) -> list[int]:
    """Two copies take the records of one partition in turns; each believes that it owns the partition."""
    one, other = world.copy(), world.copy()
    await one.take([record(1), record(2)])
    await other.take([record(1), record(2), record(3)])
    await other.take([record(4)])
    await one.take([record(3), record(4)])
    await one.take([record(5)])
    await other.take([record(5), record(6)])
    await one.take([record(6), record(7)])
    return await world.effects()


async def test_two_copies_that_both_believe_they_own_a_partition_take_each_event_once(world: World) -> None:
    assert await two_copies(world) == [1, 2, 3, 4, 5, 6, 7]
    assert await world.service.store["parked"].count_documents({}) == 0


async def test_two_copies_that_take_the_same_records_at_once_take_each_once(world: World) -> None:
    one, other = world.copy(), world.copy()
    await one.take([record(1)])
    await other.take([record(1)])
    for n in range(2, 30):
        await asyncio.gather(one.take([record(n)]), other.take([record(n)]))
    assert await world.effects() == list(range(1, 30))


async def test_partitions_that_are_assigned_while_a_batch_is_open_are_read_again_after_it(world: World) -> None:
    one, other = world.copy(), world.copy()
    await one.take([record(1)])
    reached, over, world.before = once()
    open_batch = asyncio.create_task(one.take([record(2)]))
    await reached.wait()
    one.memory.forget()  # as `on_partitions_assigned`
    over.set()
    await open_batch
    assert not one.memory.lend().versions, "what a batch of before the assignment learned is not kept"
    await other.take([record(2), record(3)])
    await one.take([record(3), record(4)])
    assert await world.effects() == [1, 2, 3, 4]


async def erased_between(world: World) -> list[int]:
    """A person is erased between two batches of a consumer that has read the register of the erased."""
    copy = world.copy()
    await copy.take([record(1, at=0), record(1, "v", at=1)])
    await world.gate().take([erasure("v", 5, at=0)])
    await copy.take([record(2, "v", at=2), record(2, at=3)])
    return await world.effects("v")


async def test_an_erasure_between_two_batches_is_known_to_the_second(world: World) -> None:
    assert await erased_between(world) == [1]
    assert await world.effects() == [1, 2]


async def test_an_erasure_by_a_command_is_known_to_the_next_batch(world: World) -> None:
    copy, store = world.copy(), world.service.store
    await copy.take([record(1)])
    unit = Consumers(world.service)._unit
    await store.transaction(lambda transaction: unit(transaction).forget(PROGRAMME, "w"))
    await copy.take([record(2)])
    assert await world.effects() == [1]


async def redriven_between(world: World) -> list[int]:
    """A dead letter is redriven, and another copy takes it, while a consumer remembers that its subject is stopped."""
    store, copy, poison = world.service.store, world.copy(), {2}

    async def fail(event: Event[Any]) -> None:
        if event.sequence in poison:
            raise RuntimeError("no")

    world.before = fail
    await copy.take([record(1)])
    await copy.take([record(2)])
    await copy.take([record(3)])
    poison.clear()
    (dead,) = await store["dead"].find().to_list(None)
    await dead_letters.redrive(store, dead["_id"], "anna")
    await world.copy().take((), [dead["subject_key"]])
    await copy.take([record(4)])
    return await world.effects()


async def test_a_subject_that_was_let_go_on_goes_on_in_a_consumer_that_remembers_it_as_stopped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_batches, "backoff", lambda *_, **__: 0.0)
    assert await redriven_between(world) == [1, 2, 3, 4]
    assert await world.service.store["parked"].count_documents({}) == 0


async def dismissed_between(world: World) -> int:
    """An intruder that another copy met is dismissed, and comes again to a consumer that remembers that nothing was dismissed."""
    store, copy, intruder = world.service.store, world.copy(), "intruder"
    await copy.take([record(1)])
    await world.copy().take([record(1, at=0, partition=1, id=intruder)])
    (dead,) = await store["dead"].find().to_list(None)
    await dead_letters.dismiss(store, dead["_id"], "anna", "sent twice")
    await copy.take([record(1, at=1, id=intruder)])
    return int(await store["dead"].count_documents({"status": "open"}))


async def test_what_was_dismissed_stays_so_in_a_consumer_that_remembers_no_dismissal(world: World) -> None:
    assert await dismissed_between(world) == 0


async def test_what_another_transaction_parked_follows_in_a_consumer_that_remembers_nothing_parked(
    world: World,
) -> None:
    one, other = world.copy(), world.copy()
    await one.take([record(1)])
    await other.take([record(1), record(3, at=1)])
    await one.take([record(3, at=1), record(2, at=2)])
    assert await world.effects() == [1, 2, 3]


async def test_what_the_gate_skips_is_skipped_by_one_copy_and_nothing_is_skipped_that_concerns_it(world: World) -> None:
    store, begin = world.service.store, Consumers(world.service).gating
    given = GATE, store, begin, world.service.metrics, 25, take_in_any_order, concerns_gate
    one, other = Batches(*given), Batches(*given)
    await one.take([record(1)])  # reads the version
    await one.take([record(1, at=1)])
    await other.take([record(1, at=0), record(1, at=1), record(2, at=2)])
    await one.take([record(1, at=2), record(1, at=3)])
    place = await store["offsets"].find_one({"_id": offset_id(GATE, (TOPIC, 0))})
    assert place is not None
    assert place["next"] == 4
    await one.take([record(3, at=4), record(1, at=5)])
    kept = await store["consents"].find_one({"_id": f"{PROGRAMME}/w"})
    assert kept is not None
    assert [each["sequence"] for each in kept["decisions"]] == [2, 3]


async def test_a_restored_database_is_read_again(world: World) -> None:
    """A consumer ran through a restore: the offsets came back as they were, and so did what it remembers otherwise."""
    store, copy = world.service.store, world.copy()
    kept = {name: await store[name].find().to_list(None) for name in ("offsets", "marks", "pushed")}
    await copy.take([record(1)])
    for name, documents in kept.items():
        await store[name].delete_many({})
        if documents:
            await store[name].insert_many(documents)
    await fence(store)
    await copy.take([record(1), record(2)])
    assert await world.effects() == [1, 2]


async def test_a_database_that_came_to_the_same_offset_by_another_way_is_another_version(world: World) -> None:
    """Offsets that were deleted, or set back for a refill, come to the same number again with other marks."""
    store, frozen, other = world.service.store, world.copy(), world.copy()
    await frozen.take([record(1)])
    await store["offsets"].replace_one(
        {"_id": offset_id("reactions", (TOPIC, 0))}, offset_document("reactions", (TOPIC, 0), 0)
    )
    await other.take([record(2, at=0)])
    await frozen.take([record(3, at=1)])
    assert await world.effects() == [1, 2, 3]


async def test_an_attempt_that_fails_leaves_no_mark_in_the_memory(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_batches, "backoff", lambda *_, **__: 0.0)
    copy, failures = world.copy(), [3, 4]

    async def fail(event: Event[Any]) -> None:
        if failures and event.sequence == failures[0]:
            failures.pop(0)
            raise RuntimeError("once")

    world.before = fail
    await copy.take([record(1)])
    await copy.take([record(n) for n in range(2, 6)])
    await copy.take([record(6), record(7)])
    assert await world.effects() == [1, 2, 3, 4, 5, 6, 7]
    assert failures == []


async def test_marks_that_are_no_longer_remembered_are_read_and_a_batch_keeps_those_it_uses(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "LARGEST", 2)
    copy, people, offset = world.copy(), [f"p{n}" for n in range(5)], 0
    for sequence in (1, 2, 3):
        together = [record(sequence, each, at=offset + n) for n, each in enumerate(people)]
        await copy.take(together)
        offset += len(together)
    assert [await world.effects(each) for each in people] == [[1, 2, 3]] * 5
    assert len(copy.memory.lend().marks) == 2


async def test_a_first_event_that_another_copy_has_taken_is_a_repeat(world: World) -> None:
    one, other = world.copy(), world.copy()
    await one.take([record(1, "v", at=0)])
    await other.take([record(1, at=0, partition=1), record(2, at=1, partition=1)])
    # Of partition 0, although all records of a subject are in one partition: the mark alone can tell.
    await one.take([record(1, at=1), record(2, at=2), record(3, at=3)])
    assert await world.effects() == [1, 2, 3]


async def test_a_partition_that_joins_later_is_remembered_only_if_nothing_else_has_changed(world: World) -> None:
    copy = world.copy()
    await copy.take([record(1)])
    await world.gate().take([erasure("v", 5, at=0)])
    # Of the other partition nothing is remembered, so that its own document cannot tell that the register is another.
    await copy.take([record(1, "v", at=0, partition=1)])
    assert await world.effects("v") == []


async def by_a_redrive(world: World) -> None:
    (dead,) = await world.service.store["dead"].find({"name": "w-2"}).to_list(None)
    await dead_letters.redrive(world.service.store, dead["_id"], "anna")


async def by_a_dismissal(world: World) -> None:
    (dead,) = await world.service.store["dead"].find({"name": "w-2"}).to_list(None)
    await dead_letters.dismiss(world.service.store, dead["_id"], "anna", "no use")


async def by_withdrawing(world: World) -> None:
    await dead_letters.withdraw(world.service.store, "reactions", ["w-2"])


async def by_an_erasure(world: World) -> None:
    await world.gate().take([erasure("v", 5, at=0)])


async def by_parked_events_alone(world: World) -> None:
    (dead,) = await world.service.store["dead"].find({"name": "w-2"}).to_list(None)
    await world.copy().take((), [dead["subject_key"]])


@pytest.mark.parametrize(
    "change", [by_a_redrive, by_a_dismissal, by_withdrawing, by_an_erasure, by_parked_events_alone]
)
async def test_whoever_changes_what_is_remembered_changes_the_version(
    world: World, monkeypatch: pytest.MonkeyPatch, change: Callable[[World], Awaitable[None]]
) -> None:
    monkeypatch.setattr(inbox_batches, "backoff", lambda *_, **__: 0.0)

    async def fail(event: Event[Any]) -> None:
        if event.sequence == 2:
            raise RuntimeError("no")

    world.before = fail
    await world.copy().take([record(1), record(2)])
    place = {"_id": offset_id("reactions", (TOPIC, 0))}
    before = await world.service.store["offsets"].find_one(place)
    await change(world)
    after = await world.service.store["offsets"].find_one(place)
    assert before is not None
    assert after is not None
    assert (before["next"], before["fence"]) != (after["next"], after["fence"])


async def behind_the_gate(world: World) -> list[int]:
    """Reactions are given a record that the gate of their copy takes a moment later. The effects before that moment."""
    service, ends = world.service, Consumers(world.service)
    common: dict[str, Any] = {
        "store": service.store,
        "bus": service.bus,
        "metrics": service.metrics,
        "fatal": service.tasks.fail,
    }
    gate = ConsumerRunner(GATE, [TOPIC], start=ends.gating, alike=0, taking=take_in_any_order, **common)
    gate.progress.hold({(TOPIC, 0): 0})
    reactions = ConsumerRunner("reactions", [TOPIC], start=ends.reacting, alike=0, follows=gate, **common)
    reacting = asyncio.create_task(reactions._batch([record(1)]))
    await asyncio.wait({reacting}, timeout=5)
    early = await world.effects()
    await gate._batch([record(1)])
    await asyncio.wait_for(reacting, 10)
    assert await world.effects() == [1]
    return early


async def test_reactions_wait_for_the_gate_and_go_on_as_soon_as_it_has_committed(world: World) -> None:
    assert await behind_the_gate(world) == []


def test_what_is_lent_and_not_brought_back_is_forgotten() -> None:
    kept = Memory()
    lent = kept.lend()
    lent.any_parked = False
    kept.keep(lent)
    assert kept.lend().any_parked is False
    assert kept.lend().any_parked is None, "the attempt before was aborted"
    late = kept.lend()
    kept.forget()
    late.any_parked = False
    kept.keep(late)
    assert kept.lend().any_parked is None, "it was lent before the assignment"


@pytest.mark.parametrize(
    ("breach", "happens", "right"),
    [
        ("stale-mark-cache", two_copies, [1, 2, 3, 4, 5, 6, 7]),
        ("stale-mark-cache", redriven_between, [1, 2, 3, 4]),
        ("stale-fence", redriven_between, [1, 2, 3, 4]),
        ("stale-fence", dismissed_between, 0),
        ("stale-erased-cache", erased_between, [1]),
        ("early-progress", behind_the_gate, []),
    ],
)
async def test_each_breach_of_the_memory_is_found_by_these_tests(
    world: World, monkeypatch: pytest.MonkeyPatch, breach: str, happens: Callable[[World], Awaitable[Any]], right: Any
) -> None:
    monkeypatch.setattr(inbox_batches, "backoff", lambda *_, **__: 0.0)
    monkeypatch.setattr(breaches, "replace", monkeypatch.setattr)
    breaches.BREACHES[breach]()
    assert await happens(world) != right
