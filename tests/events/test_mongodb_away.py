"""MongoDB behind a proxy that is cut while partitions are reassigned, or while a service is stopped."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from pymongo.uri_parser import parse_uri

import enrolment.app
from services.contracts import Event
from services.contracts.enrolment import WorkerReferred
from services.engines.ports import LOOPBACK, free_port
from services.events.delivery.declare import Reactions
from services.runtime.service import Service, running
from services.settings import Settings
from services.store.work import Work
from tests.events.conftest import refer
from tests.helpers.waiting import eventually
from tests.helpers.wire import State, Wire

SAID = 160  # more than a reader may begin before its place, over all partitions


@pytest.fixture
def wire(settings: Settings) -> Iterator[tuple[Wire, str]]:
    """A proxy to MongoDB, and the proxy's address."""
    [(_, target)] = parse_uri(settings.mongo)["nodelist"]
    port = free_port()
    laid = Wire(port, target)
    yield laid, f"mongodb://{LOOPBACK}:{port}/?directConnection=true"
    laid.close()


async def test_a_copy_that_is_given_partitions_while_mongodb_is_away_reads_on_from_its_own_offsets(
    enrolled: Service, settings: Settings, wire: tuple[Wire, str], probe: Callable[[Reactions], Service]
) -> None:
    met: list[str] = []
    reactions = Reactions()

    @reactions.on(WorkerReferred)
    async def when_somebody_is_referred_it_is_noted(event: Event[WorkerReferred], work: Work) -> None:
        met.append(event.subject)

    def behind(service: Service) -> float:
        labels = {"service": "grouping", "consumer": "reactions", "outcome": "behind"}
        return service.metrics.registry.get_sample_value("ama_taken_total", labels) or 0.0

    async def has(worker: str) -> None:
        async def noted() -> bool:
            return worker in met

        await eventually(noted, 60)

    other = probe(reactions)
    own = other.settings.model_copy(update={"mongo": wire[1]})
    async with running(Service("grouping", own, holder=other.holder, reactions=reactions), ["consume"]) as service:
        for worker in await asyncio.gather(*(refer(enrolled) for _ in range(SAID))):
            await has(worker)
        async with running(other, ["consume"]):
            runner = service.runners["reactions"]
            wire[0].be(State.REFUSING)
        await asyncio.sleep(8)  # the other has left, and everything is this one's again, which cannot ask where it was
        wire[0].be(State.WHOLE)
        for _ in range(6):
            await has(await refer(enrolled))
        assert len(runner._subscriber.consumer.assignment()) == 6
        assert behind(service) < SAID  # a reader may begin a little before its place, not from the first record


async def test_a_service_is_stopped_while_mongodb_is_away(settings: Settings, wire: tuple[Wire, str]) -> None:
    service = enrolment.app.build(settings.model_copy(update={"mongo": wire[1]}))
    await service.start(["relay"])
    await refer(service)
    wire[0].be(State.REFUSING)
    await asyncio.wait_for(service.stop(), 60)
