"""Everything that the oracle reads once the system is at rest: outboxes, bus, feeds, documents.

At rest means: every outbox row is on the bus, every consumer's stored offset is past the last record, no event is parked to wait,
no message is queued, every ledger is delivered to its end.
"""

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tests.system.chaos.oracle.evidence import Evidence
from tests.system.chaos.oracle.reading import (
    DEAD,
    EVENTS,
    FEEDS,
    PARTITIONS,
    SERVICES,
    TABLES,
    Documents,
    Event,
    Record,
    Secrets,
    event_of,
    records,
)

GATE: dict[str, tuple[str, ...]] = {"gate": ("ama.enrolment",)}  # which every service has
PROGRAMMES = "ama.programmes"  # of which the newest version of each is kept
CONSUMERS: dict[str, dict[str, tuple[str, ...]]] = {
    "enrolment": {
        **GATE,
        "tables": (PROGRAMMES,),
        "reactions": ("ama.grouping",),
        "projections.g1": ("ama.enrolment", "ama.enrolment.restricted", "ama.grouping"),
    },
    "grouping": {
        **GATE,
        "tables": ("ama.enrolment.keys", PROGRAMMES),
        "reactions": ("ama.enrolment", "ama.enrolment.restricted", "ama.grouping.restricted", "ama.sessions"),
        "projections.g1": ("ama.grouping",),
    },
    "sessions": {
        **GATE,
        "tables": ("ama.enrolment.keys", PROGRAMMES),
        "reactions": ("ama.enrolment", "ama.grouping"),
        "projections.g1": ("ama.grouping", "ama.sessions"),
    },
    "notifications": {
        **GATE,
        "tables": ("ama.enrolment.keys", "ama.enrolment.contacts", PROGRAMMES),
        "reactions": (
            "ama.enrolment",
            "ama.enrolment.restricted",
            "ama.grouping",
            "ama.sessions",
            "ama.sessions.restricted",
        ),
    },
    "analytics": {
        **GATE,
        "tables": ("ama.enrolment.keys", PROGRAMMES),
        "projections.g1": (
            "ama.enrolment",
            "ama.enrolment.restricted",
            "ama.grouping",
            "ama.sessions",
            "ama.sessions.restricted",
        ),
    },
}


@dataclass
class World:
    """Outboxes, bus, feeds and documents as they were read last."""

    evidence: Evidence
    documents: Documents
    outboxes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    bus: list[Record] = field(default_factory=list)
    dead: list[Record] = field(default_factory=list)
    feeds: dict[str, list[Record]] = field(default_factory=dict)

    def read(self) -> None:
        """Read everything, outboxes first: a row that is stored while the bus is read is then not counted as missing."""
        self.outboxes = {each: self.documents.all(each, "outbox") for each in SERVICES}
        self.bus, self.dead, feeds = asyncio.run(self._records())
        self.feeds = {each: [r for r in feeds if r.topic == f"ama.feed.{each}"] for each in FEEDS}

    async def _records(self) -> tuple[list[Record], list[Record], list[Record]]:
        kafka = self.evidence.kafka
        return (
            await records(kafka, dict.fromkeys((*EVENTS, *TABLES), PARTITIONS), committed=False),
            await records(kafka, dict.fromkeys(DEAD, 1), committed=False),
            await records(kafka, {f"ama.feed.{each}": 1 for each in FEEDS}, committed=True),
        )

    @cached_property
    def events(self) -> dict[tuple[str, str], list[Event]]:
        """Events of the outboxes, by topic and subject, in their order."""
        said: dict[tuple[str, str], list[Event]] = defaultdict(list)
        for rows in self.outboxes.values():
            for row in rows:
                if row["topic"] in EVENTS:
                    said[row["topic"], row["key"]].append(event_of(row["topic"], row["value"]))
        return {key: sorted(each, key=lambda event: event.sequence) for key, each in said.items()}

    def of(self, *types: str) -> list[Event]:
        """All events of these types."""
        return [event for each in self.events.values() for event in each if event.type in types]

    @cached_property
    def erased(self) -> frozenset[str]:
        """Ids of erased persons."""
        return frozenset(each.subject for each in self.of("worker.erased"))

    @cached_property
    def secrets(self) -> Secrets:
        """Opener of payloads, for persons whose key is on the bus."""
        published = {r.key: r.value for r in self.bus if r.topic == TABLES[0] and r.value is not None}
        return Secrets(self.evidence.keys, published)

    def restless(self) -> list[str]:
        """One line for everything that is not at rest."""
        there = {each.place for each in self.bus}
        said = {(o["topic"], o["key"], o["sequence"]) for rows in self.outboxes.values() for o in rows}
        unsent = {place for place in said if place[0] not in DEAD} - there
        found = [f"{len(unsent)} not on the bus, such as {min(unsent)}"] if unsent else []
        for service in SERVICES:
            found += self._behind(service)
            waiting = self.documents.all(service, "parked", {"status": "not-yet"})
            found += [f"{service}: {len(waiting)} wait, such as for: {waiting[0]['reason']}"] if waiting else []
        queued = self.documents.all("notifications", "message", {"state.status": "queued"})
        found += [f"{len(queued)} messages are queued, such as with {queued[0].get('mail')}"] if queued else []
        for feed in self.documents.all("notifications", "feed"):
            delivered = len(self.feeds[feed["state"]["id"]])
            found += (
                [f"{feed['state']['id']}: {delivered} of {feed['state']['last']}"]
                if delivered < feed["state"]["last"]
                else []
            )
        return found

    def _behind(self, service: str) -> list[str]:
        kept = {each["_id"]: each["next"] for each in self.documents.all(service, "offsets")}
        last = {(each.topic, each.partition): each.offset for each in self.bus}
        return [
            f"{service}: {consumer} is at {kept.get(f'{consumer}|{topic}|{partition}', 0)} of {topic}/{partition}, not {offset + 1}"
            for consumer, topics in CONSUMERS[service].items()
            for (topic, partition), offset in last.items()
            if topic in topics and kept.get(f"{consumer}|{topic}|{partition}", 0) <= offset
        ]


def at_rest(evidence: Evidence, seconds: float) -> tuple[World, list[str]]:
    """Read until the system is at rest, for at most `seconds`. Gives the last reading, and what is not at rest."""
    world, deadline, quiet = World(evidence, Documents(evidence.mongo)), time.monotonic() + seconds, 0
    while True:
        world.read()
        restless = world.restless()
        quiet = 0 if restless else quiet + 1
        if quiet == 2 or time.monotonic() > deadline:
            return world, restless
        time.sleep(1.5)
