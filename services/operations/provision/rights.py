"""Rights of each service on Kafka, derived from the catalogue of topics and from the chassis's names of groups and transactions.

Invariant: pure. A service reads the topics that the catalogue opens to it, writes its own topics and the dead letters of those it
reads, and does nothing else. It may also make the topics that it writes, so that a lost one returns without an administrator.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from services.contracts.topics import FEED, read_by, written_by

CLUSTER = "kafka-cluster"  # the only name that Kafka knows for a resource of that kind


class Operation(StrEnum):
    """An operation of Kafka's ACLs, under the name that confluent-kafka gives to it."""

    ALL = "ALL"
    READ = "READ"
    WRITE = "WRITE"
    CREATE = "CREATE"
    DELETE = "DELETE"
    ALTER = "ALTER"
    DESCRIBE = "DESCRIBE"
    DESCRIBE_CONFIGS = "DESCRIBE_CONFIGS"
    ALTER_CONFIGS = "ALTER_CONFIGS"
    IDEMPOTENT_WRITE = "IDEMPOTENT_WRITE"


class Resource(StrEnum):
    """A kind of resource of Kafka's ACLs, under the name that confluent-kafka gives to it."""

    TOPIC = "TOPIC"
    GROUP = "GROUP"
    CLUSTER = "BROKER"  # librdkafka has one word for the cluster and its brokers
    TRANSACTIONAL_ID = "TRANSACTIONAL_ID"


class Right(NamedTuple):
    """One operation on one resource; `prefixed`: on each whose name starts so."""

    resource: Resource
    name: str
    operation: Operation
    prefixed: bool = False


def user_of(service: str, database: str) -> str:
    """Name a service's user on both engines, after its database. The underscore keeps it apart from a partner's user, named by its id."""
    return f"{database}_{service}"


def rights_of(service: str, database: str) -> list[Right]:
    """List all rights of a service on Kafka, in no order."""
    return [*_topics(service), *_others(service, database)]


def _topics(service: str) -> Iterator[Right]:
    for topic in read_by(service):
        yield Right(Resource.TOPIC, topic.name, Operation.READ)
    for topic in written_by(service):
        yield Right(Resource.TOPIC, topic.name, Operation.WRITE)
        yield Right(Resource.TOPIC, topic.name, Operation.CREATE)
    if service == FEED.writer:  # it reads the last record of a feed to continue behind it
        for operation in (Operation.READ, Operation.WRITE, Operation.CREATE):
            yield Right(Resource.TOPIC, f"{FEED.name}.", operation, prefixed=True)


def _others(service: str, database: str) -> Iterator[Right]:
    yield Right(Resource.CLUSTER, CLUSTER, Operation.DESCRIBE)  # for the gauges of the brokers' free disk space
    yield Right(Resource.GROUP, f"{database}_{service}.", Operation.READ, prefixed=True)
    yield Right(Resource.TRANSACTIONAL_ID, f"{database}_{service}.relay", Operation.WRITE)
    if service == FEED.writer:
        yield Right(Resource.TRANSACTIONAL_ID, f"{database}.{service}.feeds", Operation.WRITE)
