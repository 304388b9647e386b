"""Enrolment, and a service with the reactions of a test that consumes its events."""

import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer

import enrolment.app
from enrolment import commands as do
from services.contracts import Event, decode
from services.contracts.enrolment import Purpose
from services.events.delivery.declare import Reactions
from services.runtime.service import Service, running
from services.settings import Settings
from services.vault.keyring import service_holder
from tests.helpers.own_engines import PROGRAMME, apart

__all__ = ["PROGRAMME", "apart"]
CARD = {"given_name": "Ada", "family_name": "Prova", "email": "ada@example.org", "language": "it"}


@pytest_asyncio.fixture
async def enrolled(settings: Settings) -> AsyncIterator[Service]:
    """Enrolment, running with its relay alone."""
    async with running(enrolment.app.build(settings), ["relay"]) as service:
        yield service


async def refer(service: Service, partner: str = "afol") -> str:
    """Refer a worker. Returns the id."""
    made = await service.do(do.refer, do.Refer(partner=partner, card=CARD), PROGRAMME)
    return str(made["worker"])


async def consent(service: Service, worker: str, purpose: Purpose = Purpose.PARTICIPATION, given: bool = True) -> None:
    """Decide one consent of a worker."""
    command = do.DecideConsent(worker=worker, given={purpose: given}, notice="2026-09")
    await service.do(do.decide_consent, command, PROGRAMME)


@pytest.fixture
def probe(settings: Settings) -> Callable[[Reactions], Service]:
    """Builds a service with these reactions, on a new database and in a new consumer group."""

    def build(reactions: Reactions) -> Service:
        own = settings.model_copy(update={"database": f"p{uuid.uuid4().hex[:10]}"})
        return Service("grouping", own, holder=service_holder("grouping", own.keys), reactions=reactions)

    return build


async def on_the_topic(
    service: Service, topic: str, until: Callable[[list[Event[Any]]], bool], seconds: float = 20.0
) -> list[Event[Any]]:
    """Everything committed on a topic, read from the first record until the condition holds."""
    from tests.helpers.waiting import eventually

    consumer: AIOKafkaConsumer = service.bus.reader(
        isolation_level="read_committed", auto_offset_reset="earliest", metadata_max_age_ms=1000
    )
    await consumer.start()
    try:
        consumer.subscribe([topic])
        events: list[Event[Any]] = []

        async def read() -> bool:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                events.extend(decode(record.value) for record in records if _is_event(record.value))
            return until(events)

        await eventually(read, seconds)
        return events
    finally:
        await consumer.stop()


def _is_event(value: bytes | None) -> bool:
    return value is not None and value.startswith(b'{"specversion"')
