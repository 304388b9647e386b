"""Republish of all events of a service, for a bus that was lost or replaced.

Invariant: the running relay sends, so that a topic has one writer alone. A request is stored until it is completed.
"""

import asyncio
from collections.abc import Callable, Sequence

from services.contracts.topics import TOPICS
from services.events.outbox.acknowledged import ask_to_resend, resending
from services.events.outbox.position import sending_relay
from services.runtime.service import Service
from services.settings import Misconfigured
from services.store.lease import DURATION

Report = Callable[[str, int, int], None]  # topic, records sent, records to send
POLL = 0.2  # seconds between looks at how far it is
ENOUGH = 3 * DURATION.total_seconds()  # without a relay; by then another one has the lease of a dead one


class NobodySends(Exception):
    """No relay of this service runs. The request stays stored, and the next relay fulfils it."""


def topics_of(service: str, wanted: Sequence[str]) -> list[str]:
    """List the topics that the service writes, or the wanted ones. Misconfigured when it does not write one of these."""
    own = [topic.name for topic in TOPICS.values() if topic.writer == service]
    for each in wanted:
        if each not in own:
            raise Misconfigured(f"{service} does not write {each}; it writes {', '.join(own)}.")
    return list(wanted) or own


async def republish(service: Service, topics: Sequence[str], report: Report) -> None:
    """Ask the relay to send these topics again, and wait until it has. Raises NobodySends."""
    await ask_to_resend(service.store, topics)
    patience = ENOUGH
    expected = dict.fromkeys(topics, 1)
    while left := await resending(service.store, topics):
        for topic, done in left.items():
            expected[topic] = done["there"]
            report(topic, done["sent"], done["there"])
        # A change of relays leaves nobody leading for some seconds, so the time starts anew whenever one leads.
        patience = ENOUGH if await sending_relay(service.store) else patience - POLL
        if patience < 0:
            raise NobodySends(f"No relay of {service.name} runs. It will be done as soon as one does.")
        await asyncio.sleep(POLL)
    for topic in topics:
        report(topic, expected[topic], expected[topic])
