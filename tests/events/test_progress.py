"""A consumer that follows another waits for its progress, without a statement while this copy runs both."""

import asyncio

from services.events.delivery.state import Partition
from services.events.inbox import progress
from services.events.inbox.progress import Progress

A, B = ("ama.enrolment", 0), ("ama.enrolment", 1)


class Stored:
    """Stored offsets, as another copy may move them; counts the questions."""

    def __init__(self) -> None:
        self.next: dict[Partition, int] = {}
        self.asked = 0

    async def missing(self, wanted: dict[Partition, int]) -> dict[Partition, int]:
        self.asked += 1
        return {each: offset for each, offset in wanted.items() if self.next.get(each, 0) < offset}


async def test_what_is_reached_in_this_process_is_waited_for_without_a_question() -> None:
    ahead, stored, over = Progress(), Stored(), asyncio.Event()
    ahead.hold({A: 3, B: 0})
    await ahead.wait_for({A: 3}, stored.missing, over)
    waiting = asyncio.create_task(ahead.wait_for({A: 5, B: 1}, stored.missing, over))
    for step in ({A: 5}, {B: 0}, {A: 4}):
        await asyncio.sleep(0.01)
        ahead.reached(step)
    await asyncio.sleep(0.01)
    assert not waiting.done(), "a lower offset that is told later takes nothing back, and one partition is not both"
    ahead.reached({B: 1})
    await asyncio.wait_for(waiting, 0.2)
    assert stored.asked == 0


async def test_while_another_copy_has_the_partition_its_stored_offset_is_asked() -> None:
    ahead, stored, over = Progress(), Stored(), asyncio.Event()
    ahead.hold({A: 3})
    waiting = asyncio.create_task(ahead.wait_for({A: 5}, stored.missing, over))
    await asyncio.sleep(0.01)
    assert stored.asked == 0
    ahead.drop([A])
    await asyncio.sleep(0.05)
    ahead.reached({A: 9})  # of a batch from before it was revoked
    await asyncio.sleep(0.05)
    assert stored.asked > 1
    assert not waiting.done()
    stored.next[A] = 5
    await asyncio.wait_for(waiting, 0.5)


async def test_a_copy_that_has_lost_the_partition_unnoticed_asks_after_a_while() -> None:
    ahead, stored, over = Progress(), Stored(), asyncio.Event()
    ahead.hold({A: 3})
    stored.next[A] = 5
    await asyncio.wait_for(ahead.wait_for({A: 5}, stored.missing, over), progress.HERE + 1)
    assert stored.asked == 1


async def test_a_refill_begins_again_and_a_stop_ends_the_wait() -> None:
    ahead, stored, over = Progress(), Stored(), asyncio.Event()
    ahead.hold({A: 9})
    ahead.hold({A: 0})
    waiting = asyncio.create_task(ahead.wait_for({A: 1}, stored.missing, over))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    over.set()
    await asyncio.wait_for(waiting, progress.HERE + 1)
