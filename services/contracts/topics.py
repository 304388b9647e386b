"""The registry of services and topics: the topics, how many partitions they have, how they are kept, who writes and who reads them.

Invariants: a topic's number of partitions never changes; keys would move and subjects lose their order. It is checked at every start.
Lists of services elsewhere in the program are derived from this module; those of deployment and packaging are checked against it by tests.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

# At most so many copies of a service can share its events.
PARTITIONS = 6
LONGEST = 200  # characters of an attribute of an event
_SOURCE = re.compile(r"/programmes/([a-z0-9][a-z0-9-]{0,39})/[a-z0-9][a-z0-9-]*(?:/[a-z0-9][a-z0-9-]*)*")
SERVICES = ("enrolment", "grouping", "sessions", "notifications", "analytics")


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. `compacted`: only the newest record of a key is kept (a table); else every record is kept for ever (a history).
    `encrypted`: its payloads are encrypted under persons' keys, so that its readers need the keys."""

    name: str
    writer: str
    compacted: bool = False
    encrypted: bool = False
    partitions: int = PARTITIONS
    readers: tuple[str, ...] = SERVICES

    @property
    def config(self) -> dict[str, str]:
        """Kafka's settings of this topic. Compaction lags an hour at most, so that a tombstone takes effect within the hour."""
        if not self.compacted:
            # For ever, because a rebuild reads from the first record.
            return {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
        hour = str(60 * 60 * 1000)
        return {
            "cleanup.policy": "compact",
            "max.compaction.lag.ms": hour,
            # Kafka never compacts the segment that it writes to, so a segment must end within the hour, too.
            "segment.ms": hour,
            # By default Kafka waits until half of the log is new.
            "min.cleanable.dirty.ratio": "0.1",
        }


KEYS = Topic("ama.enrolment.keys", "enrolment", compacted=True)
# Read like a table, the highest version of a programme; kept whole, so that a reader from the first record sees each change.
PROGRAMMES = Topic("ama.programmes", "enrolment")
CONTACTS = Topic("ama.enrolment.contacts", "enrolment", compacted=True, encrypted=True, readers=("notifications",))

# One partition, because the places of a feed are counted over all persons.
FEED = Topic("ama.feed", "notifications", partitions=1, readers=("partner",))  # of each partner: ama.feed.{partner}

TOPICS: dict[str, Topic] = {
    topic.name: topic
    for topic in (
        PROGRAMMES,
        Topic("ama.enrolment", "enrolment"),
        Topic(
            "ama.enrolment.restricted",
            "enrolment",
            encrypted=True,
            readers=("enrolment", "grouping", "notifications", "analytics"),
        ),
        KEYS,
        CONTACTS,
        Topic("ama.grouping", "grouping"),
        Topic("ama.grouping.restricted", "grouping", encrypted=True, readers=("grouping",)),
        Topic("ama.sessions", "sessions"),
        Topic(
            "ama.sessions.restricted",
            "sessions",
            encrypted=True,
            readers=("sessions", "enrolment", "notifications", "analytics"),
        ),
        Topic("ama.notifications", "notifications"),
        Topic("ama.analytics", "analytics"),
    )
}

DEAD = ".dead"
TOPICS |= {f"{name}{DEAD}": Topic(f"{name}{DEAD}", "any", partitions=1, readers=()) for name in list(TOPICS)}


def read_by(service: str) -> list[Topic]:
    """Return the topics that a service may read. No service reads dead letters: they are published for observers, and kept by the
    consumer that gave them up."""
    return [topic for topic in TOPICS.values() if service in topic.readers]


def written_by(service: str) -> list[Topic]:
    """Return the topics that a service may write: its own, and the dead letters of those that it reads."""
    dead = {f"{topic.name}{DEAD}" for topic in read_by(service)}
    return [topic for topic in TOPICS.values() if topic.writer == service or topic.name in dead]


def topic_of(name: str) -> Topic | None:
    """Return the topic that an event type names. The feed stands for one topic per partner, so it is not in `TOPICS`."""
    return FEED if name == FEED.name else TOPICS.get(name)


def source_of(programme: str, topic: str) -> str:
    """Return the `source` attribute of an event: `/programmes/{programme}/{context}`, with `/restricted` for the restricted topic."""
    return f"/programmes/{programme}/" + topic.removeprefix("ama.").replace(".", "/")


def programme_of(source: str) -> str:
    """Return the programme that a `source` names. ValueError when it names none."""
    # Before the cache, which would keep a text of any length.
    if len(source) > LONGEST:
        raise ValueError("is too long")
    return _programme_of(source)


# Asked for every event, and there are few sources.
@lru_cache(maxsize=1024)
def _programme_of(source: str) -> str:
    found = _SOURCE.fullmatch(source)
    if found is None:
        raise ValueError("names no programme")
    return found[1]
