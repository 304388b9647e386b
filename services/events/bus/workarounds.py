"""Parts of aiokafka and FastStream that they do not promise to keep, each with the version that it was seen in and the upstream issue.

Invariant: no other module of `services.events` uses a private attribute of a library, or replaces a method of one.
`tests/events/test_workarounds.py` fails when a library changes what is used here.
"""

from collections.abc import Sequence
from itertools import chain
from operator import attrgetter
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord

SEEN_IN = {"aiokafka": "0.14", "faststream": "0.7"}
POLL_MS = 1_000  # a poll ends at the first record; this is how long one lasts that finds none

# The tasks of a consumer (aiokafka 0.14.0: consumer/fetcher.py, client.py, consumer/group_coordinator.py). When one of them ends with an
# error, aiokafka logs it at most: the consumer then reads nothing more and keeps its partitions. `getmany` shows no error.
# https://github.com/aio-libs/aiokafka/issues/983 has the fetch task; no public attribute tells that a task has ended.
TASKS = (
    "_fetcher._fetch_task",
    "_client._sync_task",
    "_coordinator._coordination_task",
    "_coordinator._heartbeat_task",
)


def failure_of(consumer: AIOKafkaConsumer) -> BaseException | None:
    """The error of which one of the consumer's tasks has died; None while all of them run."""
    tasks = (attrgetter(each)(consumer) for each in TASKS)
    ended = (task for task in tasks if task is not None and task.done() and not task.cancelled())
    return next((error for task in ended if (error := task.exception()) is not None), None)


def poll_without_sleep(subscriber: Any) -> None:
    """Let a batch subscriber of FastStream that has not started ask for records again as soon as a poll was empty.

    FastStream's own `get_msg` waits `batch_timeout_ms` for records, and sleeps as long again when there were none: what comes meanwhile
    waits. With a short time an idle consumer polls without end. No argument of `subscriber()` leaves the sleep out. Source (FastStream
    0.7.8): `faststream/kafka/subscriber/usecase.py`, `BatchSubscriber.get_msg` and `LogicSubscriber._run_consume_loop`. No upstream issue
    was found.
    """

    async def get_msg(consumer: AIOKafkaConsumer) -> Sequence[ConsumerRecord]:
        found = await consumer.getmany(timeout_ms=POLL_MS, max_records=subscriber.max_records)
        return tuple(chain.from_iterable(found.values()))

    subscriber.get_msg = get_msg
