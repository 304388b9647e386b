"""Every outbox row is on the bus with the same bytes, each subject in its order.

A record may be repeated with the same bytes: after a failure the relay goes back, and sends everything from there once more, in order.
It must not stop half-way, or write after its successor has begun: either would break the order of the topic.
"""

from collections import defaultdict
from collections.abc import Iterator

from tests.system.chaos.oracle.evidence import Finding, Kind
from tests.system.chaos.oracle.reading import DEAD, EVENTS, PARTITIONS, TABLES, Place, writers
from tests.system.chaos.oracle.world import World


def judge(world: World) -> Iterator[Finding]:
    """Check the records of the bus."""
    yield from _everything_is_there(world)
    yield from _sequences(world)
    yield from _order(world)
    yield from _one_writer_after_the_other(world)


def _everything_is_there(world: World) -> Iterator[Finding]:
    stored = {
        (each["topic"], each["key"], each["sequence"]): each
        for rows in world.outboxes.values()
        for each in rows
        if each["topic"] not in DEAD
    }
    seen: set[Place] = set()
    for record in world.bus:
        row = stored.get(record.place)
        seen.add(record.place)
        if row is None:
            if not (record.topic in TABLES and record.key in world.erased):
                yield Finding("other", f"{record.place} is on the bus and was never stored")
        elif (record.value, list(record.headers)) != (row["value"], [(n, bytes(v)) for n, v in row["headers"]]):
            yield Finding("other", f"{record.place} is on the bus with other bytes than were stored")
    latest = {(place[0], place[1]): place[2] for place in sorted(seen)}
    for place in sorted(stored.keys() - seen):
        compacted = place[0] in TABLES and place[2] < latest.get((place[0], place[1]), 0)
        if not compacted:
            yield Finding("lost", f"{place} is stored and not on the bus")


def _sequences(world: World) -> Iterator[Finding]:
    for (topic, subject), events in world.events.items():
        numbers = [event.sequence for event in events]
        if len(set(numbers)) < len(numbers):
            yield Finding("doubled", f"{topic} {subject}: a sequence is taken twice: {numbers}")
        elif numbers != list(range(1, len(numbers) + 1)):
            yield Finding("lost", f"{topic} {subject}: sequences with a gap: {numbers}")


def _order(world: World) -> Iterator[Finding]:
    """Check that each record of a subject follows the one before or repeats an earlier one, and that a repetition reaches its end."""
    runs: dict[tuple[str, str], list[int]] = defaultdict(list)
    for record in world.bus:
        if record.topic in EVENTS:
            runs[record.topic, record.key].append(record.place[2])
    for (topic, subject), run in runs.items():
        most = last = 0
        for number in run:
            if number > last + 1:
                kind: Kind = "lost" if number > most + 1 else "other"
                yield Finding(kind, f"{topic} {subject}: out of order: {run}")
                break
            most, last = max(most, number), number
        else:
            if last < most:
                yield Finding("other", f"{topic} {subject}: a repetition stops half-way: {run}")


def _one_writer_after_the_other(world: World) -> Iterator[Finding]:
    """Check that a producer that was followed by another never writes to the partition again."""
    topics = {**dict.fromkeys((*EVENTS, *TABLES), PARTITIONS), **{f"ama.feed.{each}": 1 for each in world.feeds}}
    for topic, partitions in topics.items():
        for number in range(partitions):
            former: set[tuple[int, int]] = set()
            now: tuple[int, int] | None = None
            for writer in writers(world.evidence.logs / f"{topic}-{number}"):
                if writer in former:
                    yield Finding("other", f"{topic}/{number}: a producer that was replaced wrote again")
                    break
                if now is not None and writer != now:
                    former.add(now)
                now = writer
