"""The oracle: waits until all has come to rest, reads everything, and judges. It shares no code with the services.

`evidence` is what it is given, `reading` and `world` how it reads, and of the judgments `bus` is about what was said and stands on
the bus, `promises` about acknowledgements, `projections` about read models, `feeds` about partners, `effects` about what the
services did because of each other.
"""

from tests.system.chaos.oracle import bus, effects, feeds, projections, promises
from tests.system.chaos.oracle.evidence import Evidence, Finding
from tests.system.chaos.oracle.world import at_rest

__all__ = ["Evidence", "Finding", "verdict"]


def verdict(evidence: Evidence, seconds: float) -> tuple[list[Finding], int]:
    """Every finding, and how many events were said. Waits so many seconds for rest, and judges then in any case."""
    world, restless = at_rest(evidence, seconds)
    try:
        findings = [Finding("lost", f"not at rest after {seconds:.0f} s: {each}") for each in restless]
        for judge in (promises.judge, bus.judge, projections.judge, feeds.judge, effects.judge):
            findings += judge(world)
        return findings, sum(len(each) for each in world.events.values())
    finally:
        world.documents.close()
