"""Everything that was said is said again: for a bus that was lost, or a new one.

Invariant: the running relay does it, so that one hand alone writes to a topic; what is asked for here is remembered until it is done.
"""

import asyncio
from collections.abc import Callable, Sequence

from services.contracts.topics import TOPICS
from services.events.outbox.acknowledged import ask_to_resend, resending
from services.events.outbox.position import sending_relay
from services.runtime.service import Service
from services.settings import Misconfigured
from services.store.lease import DURATION

Report = Callable[[str, int, int], None]
POLL = 0.2  # seconds between looks at how far it is
ENOUGH = 3 * DURATION.total_seconds()  # without a relay; one that died has a successor by then


class NobodySends(Exception):
    """No relay of this service runs; what was asked for is done when one does."""


def topics_of(service: str, wanted: Sequence[str]) -> list[str]:
    """The topics that the service writes, or those wanted of them. Misconfigured when one is another's."""
    own = [topic.name for topic in TOPICS.values() if topic.writer == service]
    for each in wanted:
        if each not in own:
            raise Misconfigured(f"{service} does not write {each}; it writes {', '.join(own)}.")
    return list(wanted) or own


async def republish(service: Service, topics: Sequence[str], report: Report) -> None:
    """Ask the relay for it and wait until it is done, reporting topic, records sent and records there are. Raises NobodySends."""
    await ask_to_resend(service.store, topics)
    patience = ENOUGH
    there = dict.fromkeys(topics, 1)
    while left := await resending(service.store, topics):
        for topic, done in left.items():
            there[topic] = done["there"]
            report(topic, done["sent"], done["there"])
        patience = ENOUGH if await sending_relay(service.store) else patience - POLL
        if patience < 0:
            raise NobodySends(f"No relay of {service.name} runs. It will be done as soon as one does.")
        await asyncio.sleep(POLL)
    for topic in topics:
        report(topic, there[topic], there[topic])
