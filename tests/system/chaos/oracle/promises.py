"""Acknowledged commands took effect once: every event that an acknowledgement promised is stored, and none is stored twice.

Also: no answer is one that no client may get, every command has an answer, no event ended in a dead letter.
"""

from collections import Counter
from collections.abc import Iterator

from tests.system.chaos.oracle.evidence import Finding
from tests.system.chaos.oracle.reading import SERVICES
from tests.system.chaos.oracle.world import World

COMMANDED = {
    "worker.referred", "worker.profiled", "consent.changed", "worker.admitted", "worker.declined", "worker.withdrawn",
    "withdrawal.explained", "worker.erased", "place.registered", "facilitator.registered", "group.formed", "facilitator.assigned",
    "member.joined", "session.held", "survey.submitted", "survey.scored",
}  # fmt: skip  # said by commands alone


def judge(world: World) -> Iterator[Finding]:
    """Compare promised events with stored ones."""
    promised = world.evidence.promised
    said = Counter((each.type, each.subject) for each in world.of(*COMMANDED))
    for (type, subject), number in sorted((promised - said).items()):
        yield Finding("lost", f"{type} of {subject} was acknowledged, and said {number} times too seldom")
    if not world.evidence.unanswered:  # what was never answered may have happened
        for (type, subject), number in sorted((said - promised).items()):
            yield Finding("doubled", f"{type} of {subject} was said {number} times more often than acknowledged")
    yield from (Finding("lost", f"never answered: {each}") for each in world.evidence.unanswered)
    yield from (Finding("other", each) for each in world.evidence.broken)
    yield from _leftovers(world)


def _leftovers(world: World) -> Iterator[Finding]:
    for record in world.dead:
        yield Finding("lost", f"a dead letter on {record.topic}: {dict(record.headers)}")
    for service in SERVICES:
        for dead in world.documents.all(service, "dead"):
            yield Finding("lost", f"{service} {dead['consumer']} has buried {dead['origin']}: {dead['why']}")
        for parked in world.documents.all(service, "parked"):
            yield Finding(
                "lost",
                f"{service} {parked['consumer']} has parked {parked['subject_key']} {parked['sequence']}: "
                f"{parked['status']}, {parked['reason']}",
            )
        for mark in world.documents.all(service, "marks", {"stopped": {"$exists": True}}):
            yield Finding(
                "lost", f"{service} {mark['consumer']} stands still at {mark['subject_key']}: {mark['stopped']}"
            )
