"""What each service may do, derived: from the catalogue of topics, and from the names that the chassis gives to groups and transactions.

Invariant: pure. A service reads what the catalogue lets it read, writes what is its own and the dead letters of what it reads, and does
nothing else; the topics that it writes it may also make, so that one that was lost is there again without an administrator.
"""

from collections.abc import Iterator

from services.contracts.topics import FEED, read_by, written_by
from services.operations.provision.kafka_users import CLUSTER, Operation, Resource, Right


def user_of(service: str, database: str) -> str:
    """Its user on both engines: its database's name. With an underscore, it can be no partner's id, whose user is called after that."""
    return f"{database}_{service}"


def rights_of(service: str, database: str) -> list[Right]:
    """On Kafka."""
    return [*_topics(service), *_others(service, database)]


def _topics(service: str) -> Iterator[Right]:
    for topic in read_by(service):
        yield Right(Resource.TOPIC, topic.name, Operation.READ)
    for topic in written_by(service):
        yield Right(Resource.TOPIC, topic.name, Operation.WRITE)
        yield Right(Resource.TOPIC, topic.name, Operation.CREATE)
    if service == FEED.writer:  # it goes on behind the last record, and so reads as well
        for operation in (Operation.READ, Operation.WRITE, Operation.CREATE):
            yield Right(Resource.TOPIC, f"{FEED.name}.", operation, prefixed=True)


def _others(service: str, database: str) -> Iterator[Right]:
    yield Right(Resource.CLUSTER, CLUSTER, Operation.DESCRIBE)  # how full the brokers' disks are, which it watches
    yield Right(Resource.GROUP, f"{database}_{service}.", Operation.READ, prefixed=True)
    yield Right(Resource.TRANSACTIONAL_ID, f"{database}_{service}.relay", Operation.WRITE)
    if service == FEED.writer:
        yield Right(Resource.TRANSACTIONAL_ID, f"{database}.{service}.feeds", Operation.WRITE)
