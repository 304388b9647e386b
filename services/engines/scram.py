"""Kafka's AlterUserScramCredentials request, version 0 (KIP-554), which aiokafka lacks.

Invariant: no password is sent, only its salted hash (RFC 5802).
"""

import hashlib
import secrets

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import CompactArray, CompactBytes, CompactString, Int8, Int16, Int32, Schema, TaggedFields

SHA_512 = 2
ITERATIONS = 8192


class AlterScramResponse(Response):  # type: ignore[misc]  # aiokafka is untyped
    """The answer: one result per user, with error code 0 or a message."""

    API_KEY = 51
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            CompactArray(
                ("user", CompactString("utf-8")),
                ("error_code", Int16),
                ("error_message", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class AlterScramStruct(RequestStruct):  # type: ignore[misc]
    """The request as it is sent."""

    API_KEY = 51
    API_VERSION = 0
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = AlterScramResponse
    SCHEMA = Schema(
        ("deletions", CompactArray(("name", CompactString("utf-8")), ("mechanism", Int8), ("tags", TaggedFields))),
        (
            "upsertions",
            CompactArray(
                ("name", CompactString("utf-8")),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class AlterScram(Request[AlterScramStruct]):  # type: ignore[misc]
    """A request that gives a user this password, or, with None, deletes the credentials."""

    API_KEY = 51

    def __init__(self, name: str, password: str | None) -> None:
        self._name, self._password = name, password

    def build(self, request_struct_class: type[AlterScramStruct]) -> AlterScramStruct:
        """Build the request in the version that the broker supports (aiokafka calls it)."""
        if self._password is None:
            return request_struct_class([(self._name, SHA_512, {})], [], {})
        salt = secrets.token_bytes(32)
        salted = hashlib.pbkdf2_hmac("sha512", self._password.encode(), salt, ITERATIONS)
        return request_struct_class([], [(self._name, SHA_512, ITERATIONS, salt, salted, {})], {})
