"""A background task that runs and does nothing any more ends its service, or lets another copy work."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from aiokafka.errors import KafkaError

import enrolment.app
from services.events.bus.workarounds import failure_of
from services.events.delivery.declare import Reactions
from services.events.outbox.relay import Relay
from services.runtime.service import Service, running
from services.settings import Settings
from tests.events.conftest import on_the_topic, refer
from tests.helpers.waiting import eventually


def build(settings: Settings) -> Service:
    return enrolment.app.build(settings)


async def test_a_relay_that_fails_again_and_again_lets_another_copy_send(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(build(settings), ["api"]) as service:
        of = (service.name, service.store, service.bus, service.settings, service.metrics)
        failing, healthy = Relay(*of), Relay(*of)

        async def unreachable() -> None:
            raise KafkaError("from this host alone")

        async def held() -> bool:
            return (await service.store["relay"].find_one({"holder": failing.position.lease.holder})) is not None

        monkeypatch.setattr(failing, "_relay", unreachable)
        relays = [asyncio.create_task(failing.run())]
        try:
            await eventually(held)
            relays.append(asyncio.create_task(healthy.run()))
            worker = await refer(service)
            await on_the_topic(service, "ama.enrolment", lambda all_: worker in {e.subject for e in all_}, 40)
        finally:
            for each in relays:
                each.cancel()
            await asyncio.wait(relays)


async def test_a_consumer_of_which_a_task_has_died_ends_its_service(
    settings: Settings, probe: Callable[[Reactions], Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(probe(Reactions()), ["consume"]) as service:
        consumer = service.runners["gate"]._subscriber.consumer
        assert failure_of(consumer) is None

        def closed(*_: Any) -> None:
            raise RuntimeError("the handler is closed")

        monkeypatch.setattr(consumer._fetcher, "_get_actions_per_node", closed)
        assert service.tasks.ended is not None
        with pytest.raises(KafkaError):
            await asyncio.wait_for(asyncio.shield(service.tasks.ended), 30)


async def test_a_task_that_is_cancelled_by_nobody_begins_again_and_ends_no_service(settings: Settings) -> None:
    begun: list[int] = []

    async def ends_twice() -> None:
        begun.append(1)
        if len(begun) < 3:
            raise asyncio.CancelledError
        await asyncio.Event().wait()

    async with running(build(settings), ["api"]) as service:
        service.tasks.spawn(ends_twice, "task")
        await eventually(partial(_reached, begun, 3))
        assert not service.tasks.over


async def _reached(begun: list[int], number: int) -> bool:
    return len(begun) == number


async def test_a_task_that_ends_by_itself_ends_its_service(settings: Settings) -> None:
    async def ends() -> None:
        return

    async with running(build(settings), ["api"]) as service:
        service.tasks.spawn(ends, "task")
        assert service.tasks.ended is not None
        with pytest.raises(RuntimeError, match="enrolment task ended"):
            await asyncio.wait_for(asyncio.shield(service.tasks.ended), 5)


async def test_a_task_that_takes_being_cancelled_for_something_else_is_told_again(
    settings: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.runtime.tasks.STOPPING", 3.0)
    told: list[int] = []

    async def deaf_at_first() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                told.append(1)
                if len(told) > 1:
                    raise

    async with running(build(settings), ["api"]) as service:
        service.tasks.spawn(deaf_at_first, "task")
        await asyncio.sleep(0)
    assert len(told) == 2
    assert "task does not end" not in caplog.messages
