"""Private attributes of aiokafka that this project uses, each with the version that it was seen in and the upstream issue.

Invariant: no other module of `services.events` uses a private attribute of a library. `tests/events/test_workarounds.py` fails when
aiokafka changes what is used here.
"""

from operator import attrgetter

from aiokafka import AIOKafkaConsumer

SEEN_IN = {"aiokafka": "0.14"}

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
