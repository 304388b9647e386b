"""Kafka's DescribeLogDirs request in version 4, which aiokafka lacks: size and free space of the disks of each broker.

Invariant: the request names no topic, so that the answer holds only the data folders.
Source: Kafka's protocol guide, DescribeLogDirs (key 35), and KIP-827.
"""

from typing import Any, NamedTuple

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Int64, Schema, TaggedFields

TAGS = ("tags", TaggedFields)
PARTITION = (("partition", Int32), ("size", Int64), ("offset_lag", Int64), ("is_future", Boolean), TAGS)


class LogDirsResponse(Response):  # type: ignore[misc]  # aiokafka is untyped
    """Answer on the wire: data folders, each with the size and the free space of its file system."""

    API_KEY = 35
    API_VERSION = 4
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        (
            "results",
            CompactArray(
                ("error_code", Int16),
                ("log_dir", CompactString()),
                ("topics", CompactArray(("name", CompactString()), ("partitions", CompactArray(*PARTITION)), TAGS)),
                ("total_bytes", Int64),
                ("usable_bytes", Int64),
                TAGS,
            ),
        ),
        TAGS,
    )


class LogDirsStruct(RequestStruct):  # type: ignore[misc]
    """Request on the wire, see `LogDirs`."""

    API_KEY = 35
    API_VERSION = 4
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = LogDirsResponse
    SCHEMA = Schema(
        ("topics", CompactArray(("topic", CompactString()), ("partitions", CompactArray(Int32)), TAGS)),
        TAGS,
    )


class LogDirs(Request[LogDirsStruct]):  # type: ignore[misc]
    """Asks for the folders and for no topic."""

    API_KEY = 35

    def build(self, request_struct_class: type[LogDirsStruct]) -> LogDirsStruct:
        """Implements aiokafka's hook: the request in the version that the broker speaks."""
        return request_struct_class([], {})


class Disk(NamedTuple):
    """A file system with an engine's data: bytes in all, and bytes that the engine may still use."""

    size: int
    available: int


async def broker_disks(client: AIOKafkaClient) -> dict[str, Disk]:
    """The fullest file system of each broker, by broker id.

    Raises KafkaError when a broker does not answer, or refuses this user, who needs DESCRIBE on the cluster.
    """
    found: dict[str, Disk] = {}
    # Each broker knows its own folders alone.
    for broker in client.cluster.brokers():
        answer: Any = await client.send(broker.nodeId, LogDirs())
        if answer.error_code:
            raise for_code(answer.error_code)
        # A broker that cannot tell a size answers -1 (KIP-827).
        disks = [Disk(size, free) for code, _, _, size, free, _ in answer.results if code == 0 and size > 0]
        if disks:
            found[str(broker.nodeId)] = min(disks, key=lambda disk: disk.available / disk.size)
    return found
