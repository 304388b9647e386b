"""The oracle: waits until the system is at rest, reads everything, and checks it. It shares no code with the services.

`evidence` is its input, `reading` and `world` read. The checks: `bus` compares outboxes with the bus, `promises` acknowledgements with
events, `projections` read models, `feeds` partners' ledgers, `effects` the services' reactions to each other.
"""

from tests.system.chaos.oracle import bus, effects, feeds, projections, promises
from tests.system.chaos.oracle.evidence import Evidence, Finding
from tests.system.chaos.oracle.world import at_rest

__all__ = ["Evidence", "Finding", "verdict"]


def verdict(evidence: Evidence, seconds: float) -> tuple[list[Finding], int]:
    """Every finding, and the number of events. Waits up to `seconds` for rest, and checks in any case."""
    world, restless = at_rest(evidence, seconds)
    try:
        findings = [Finding("lost", f"not at rest after {seconds:.0f} s: {each}") for each in restless]
        for judge in (promises.judge, bus.judge, projections.judge, feeds.judge, effects.judge):
            findings += judge(world)
        return findings, sum(len(each) for each in world.events.values())
    finally:
        world.documents.close()
