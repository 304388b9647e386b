"""Kafka's Metadata request in version 12, which aiokafka lacks. Its topic ids tell a topic from an earlier one of the same name.

Invariant: a topic that does not exist has no entry in the answer, and the request creates none.
Source: Kafka's protocol guide, Metadata (key 3), and KIP-516.
"""

from collections.abc import Iterable
from io import BytesIO
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

NONE = bytes(16)  # the id of a topic that is asked for by name
TAGS = ("tags", TaggedFields)


class Uuid:
    """Type of the protocol: sixteen bytes, as they are."""

    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        return data.read(16)

    @classmethod
    def repr(cls, value: bytes) -> str:
        """The value in aiokafka's debug output."""
        return value.hex()


class MetadataResponse(Response):  # type: ignore[misc]  # aiokafka is untyped
    """Answer on the wire: brokers and topics."""

    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32), ("host", CompactString()), ("port", Int32), ("rack", CompactString()), TAGS
            ),
        ),
        ("cluster_id", CompactString()),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("topic", CompactString()),
                ("topic_id", Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        TAGS,
                    ),
                ),
                ("authorized_operations", Int32),
                TAGS,
            ),
        ),
        TAGS,
    )


class MetadataStruct(RequestStruct):  # type: ignore[misc]
    """Request on the wire, see `TopicIds`."""

    API_KEY = 3
    API_VERSION = 12
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = MetadataResponse
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", Uuid), ("name", CompactString()), TAGS)),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        TAGS,
    )


class TopicIds(Request[MetadataStruct]):  # type: ignore[misc]
    """Asks for these topics by name."""

    API_KEY = 3

    def __init__(self, topics: Iterable[str]) -> None:
        self._topics = list(topics)

    def build(self, request_struct_class: type[MetadataStruct]) -> MetadataStruct:
        """Implements aiokafka's hook: the request in the version that the broker speaks."""
        return request_struct_class([(NONE, name, {}) for name in self._topics], False, False, {})


async def topic_ids(client: AIOKafkaClient, topics: Iterable[str]) -> dict[str, str]:
    """The ids, in hexadecimal, of those topics that exist. Raises KafkaError when no broker answers."""
    answer: Any = await client.send(client.get_random_node(), TopicIds(topics))
    return {topic: topic_id.hex() for code, topic, topic_id, *_ in answer.topics if code == 0}
