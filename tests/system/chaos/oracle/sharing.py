"""Shares of the work: partitions that members of consumer groups hold, and proof that no batch was taken twice.

Read from Kafka's group coordinator, and from MongoDB's oplog.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from pymongo import MongoClient

from tests.system.chaos.oracle.evidence import Finding
from tests.system.chaos.oracle.world import CONSUMERS

GROUPS = [f"ama_{service}.{consumer}" for service, consumers in CONSUMERS.items() for consumer in consumers]


async def shares(kafka: str) -> dict[str, dict[str, int]]:
    """Number of partitions that each member holds, by group and member."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        answers = [
            await admin.describe_consumer_groups([each]) for each in GROUPS
        ]  # aiokafka misreads an answer about several
    finally:
        await admin.close()
    groups = [group for several in answers for answer in several for group in answer.groups]
    return {group[1]: {member[0]: _held(member[4]) for member in group[5]} for group in groups}


def _held(assignment: bytes) -> int:
    if not assignment:  # the group is just being divided
        return 0
    return sum(len(parts) for _, parts in ConsumerProtocolMemberAssignment.decode(assignment).assignment)


def taken_once(mongo: str) -> Iterator[Finding]:
    """Check that every offset only moved forwards: no copy took a batch that another had taken."""
    moves: dict[tuple[str, str], list[int]] = defaultdict(list)
    with MongoClient[dict[str, Any]](mongo) as client:
        for entry in client["local"]["oplog.rs"].find({"op": {"$in": ["i", "u", "c"]}}).sort("$natural", 1):
            for each in entry["o"].get("applyOps", [entry]):
                if str(each["ns"]).endswith(".offsets") and each["op"] in {"i", "u"}:
                    changed = each["o"].get("diff", {}).get("u", each["o"])
                    moves[each["ns"], (each.get("o2") or each["o"])["_id"]].append(changed["next"])
    for (database, offset), run in moves.items():
        if run != sorted(set(run)):
            yield Finding("doubled", f"{database} {offset} did not only move forwards: {run[-20:]}")
