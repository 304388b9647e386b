"""An erasure in analytics is complete only when the memory of shown means holds nothing of the person."""

import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

import analytics.app
from analytics.cells import Cells
from services.contracts import Event, encode
from services.contracts.enrolment import WorkerErased
from services.contracts.topics import SERVICES
from services.events.delivery.state import Record
from services.events.inbox.batches import Batches
from services.events.inbox.gate import GATE
from services.events.inbox.gate_taking import take_in_any_order
from services.runtime import serving
from services.runtime.consumers import Consumers
from services.runtime.erasures import state_of
from services.runtime.service import Service, running
from services.settings import Settings
from services.store.clock import now_utc
from services.store.documents import StoredDocument
from services.vault import ServiceKeys

PROGRAMME, ERASED = "jobs2", "worker-3"
OF_NOBODY = {"looks", "capacity"}  # collections of rooms that hold nothing derived from people


@pytest_asyncio.fixture
async def service(settings: Settings) -> AsyncIterator[Service]:
    """Analytics, whose consumers do not run."""
    own = settings.model_copy(update={"database": f"e{uuid.uuid4().hex[:10]}"})
    async with running(analytics.app.build(own), []) as one:
        yield one


async def take_erasure(service: Service) -> None:
    """Have the gate take the erasure, without a bus."""
    at = now_utc()
    source = f"/programmes/{PROGRAMME}/enrolment"
    event: Event[WorkerErased] = Event("an-id", source, WorkerErased.type, ERASED, at, at, 1, WorkerErased())
    gate = Batches(GATE, service.store, Consumers(service).gating, service.metrics, 0, taking=take_in_any_order)
    await gate.take([Record("ama.enrolment", 0, 0, ERASED.encode(), encode(event))])


async def test_an_erasure_is_complete_when_no_block_holds_anything_of_the_person(service: Service) -> None:
    cells = Cells(ServiceKeys.load(service.settings.keys, "analytics").secret("cells"))
    alone = {"seated": {f"worker-{n}": 1.0 + n / 5 for n in range(10)}, "waiting": {}}
    # A block that nobody looks at any more.
    await cells.show(service.store, service.rules[PROGRAMME], {("jobs2-depression", "T0", "depression"): alone}, {})
    before = await state_of(service, PROGRAMME, ERASED)
    assert (before.registered, before.left) == (False, {"cells": 1})
    await take_erasure(service)
    after = await state_of(service, PROGRAMME, ERASED)
    assert (after.registered, after.complete, after.left) == (True, True, {})
    assert await cells.count(service.store, PROGRAMME, "worker-4") == 1, "the others stay"


@pytest.mark.parametrize("name", SERVICES)
def test_a_room_declares_each_collection_of_its_own_at_its_gate(name: str, settings: Settings) -> None:
    service = serving.build(name, settings)
    own = {each.collection for each in StoredDocument.__subclasses__() if each.__module__.split(".")[0] == name}
    assert own - OF_NOBODY == {each.collection for each in service.gate.holdings}
