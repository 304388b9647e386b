"""Errors of MongoDB, and which of them are transient: the same work can succeed when it is tried again.

Invariant: an unknown error is not transient. It is raised, and not retried for ever.
"""

import random
from collections.abc import Mapping
from typing import Any

from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    DuplicateKeyError,
    OperationFailure,
    PyMongoError,
)

# 6, 7, 89, 9001: the network; 91, 189, 10107, 11600, 11602, 13435, 13436: stepping down or shutting down; 43, 237: the cursor went with
# its server; 50, 202, 262, 11601: out of time, or interrupted; 64: no majority in time; 94, 211: just begun; 133, 134, 246: no primary, or
# no snapshot yet; 112: write conflict; 251, 290: the transaction was aborted, as one that lived too long is; 365: too much to do; 14031:
# no room on its disk. (MongoDB's error_codes.yml.)
TRANSIENT = {
    6, 7, 43, 50, 64, 89, 91, 94, 112, 133, 134, 189, 202, 211, 237, 246, 251, 262, 290, 365, 9001, 10107, 11600, 11601, 11602, 13435,
    13436, 14031,
}  # fmt: skip
UNAUTHORIZED, AUTHENTICATION_FAILED = 13, 18
DUPLICATE = 11000


class Conflict(Exception):
    """Another transaction changed what this one had read. The transaction is tried again."""


class Uncertain(PyMongoError):
    """The result of a commit is unknown. Only work that recognises what it has done before may be repeated."""


class Overtaken(PyMongoError):
    """The transaction was ended before one of its writes began. Nothing of it is stored."""


class AlreadyStored(PyMongoError):
    """A duplicate in every attempt: not a concurrent insert, but a document that was stored earlier."""


def is_transient(error: BaseException) -> bool:
    """Return True when the same work can succeed later: a server that is down or electing, a conflict, an aborted transaction."""
    if isinstance(error, Conflict | ConnectionFailure | Uncertain):
        return True
    if isinstance(error, ConfigurationError):  # a server that has just started, and is in no replica set yet
        return True
    if isinstance(error, BulkWriteError):
        details: Mapping[str, Any] = error.details
        codes = {each.get("code") for each in (*details.get("writeErrors", []), *details.get("writeConcernErrors", []))}
        return bool(codes) and codes <= {*TRANSIENT, DUPLICATE}
    if isinstance(error, DuplicateKeyError):
        return True  # inserted meanwhile by another transaction: the next try sees it
    if isinstance(error, OperationFailure):
        return error.has_error_label("TransientTransactionError") or error.code in TRANSIENT
    return False


def refuses_login(error: BaseException) -> bool:
    """Return True when the server refuses the log-in of this user."""
    return isinstance(error, OperationFailure) and error.code == AUTHENTICATION_FAILED


def may_not(error: BaseException) -> bool:
    """Return True when the server knows this user, who lacks the right."""
    return isinstance(error, OperationFailure) and error.code == UNAUTHORIZED


def duplicates(error: BaseException) -> bool:
    """Return True when an inserted document exists already."""
    if isinstance(error, BulkWriteError):
        return any(each.get("code") == DUPLICATE for each in error.details.get("writeErrors", []))
    return isinstance(error, DuplicateKeyError)


def backoff(attempt: int, cap: float = 2.0) -> float:
    """Return the seconds to wait before the next attempt: exponential, with full jitter."""
    return random.uniform(0, min(cap, 0.005 * 2 ** min(attempt, 30)))  # noqa: S311  # jitter is no secret
