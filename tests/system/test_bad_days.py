"""Bad days: an engine's disk full, MongoDB between two primaries, Kafka out of reach, each under load, with processes as operators run
them. Commands are done or answered 503 with Retry-After, in bounded time; nothing acknowledged is lost or doubled, on the bus or in what
another service makes of it; the services go on by themselves, the same processes as before, and say meanwhile what does not answer.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from services.identity.issuer import Issuer
from tests.helpers.serving import issuing
from tests.helpers.waiting import eventually
from tests.helpers.wire import State
from tests.system.bad_days.callers import HANGS, PERSON, Callers, mark, one_caller
from tests.system.bad_days.engines import ReplicaSet, WiredKafka, within
from tests.system.bad_days.ledger import events_of, faults
from tests.system.bad_days.services import PROGRAMME, Services

SETTLED = 90.0  # seconds in which everything acknowledged has had its effects, once the engines answer
COMMITTED = 20.0  # seconds in which what had effects is committed on the bus too
pytestmark = pytest.mark.timeout(300)
SILENCE = 45.0  # seconds: longer than a request (40 s), a transaction (30 s) and a group session (10 s) live
REFUSAL = 6.0  # seconds
CROWD = 24  # more than the driver has threads
ALIVE = 10.0  # seconds in which a process answers that does not stand still


@dataclass
class Deployment:
    """Engines, issuer and keys of these tests."""

    kafka: WiredKafka
    mongo: ReplicaSet
    issuer: Issuer
    keys: Path
    folder: Path
    people: int = 0  # who were admitted so far


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def deployment(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    """Engines of this module's own."""
    folder = tmp_path_factory.mktemp("bad")
    with ExitStack() as held:
        kafka, mongo = WiredKafka(folder), ReplicaSet(folder)
        held.callback(kafka.down)
        held.callback(mongo.down)
        await asyncio.gather(asyncio.to_thread(kafka.up), asyncio.to_thread(mongo.up))
        async with issuing(folder) as (issuer, keys):
            yield Deployment(kafka, mongo, issuer, keys, folder)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def services(deployment: Deployment) -> AsyncIterator[Services]:
    """Enrolment and grouping, in the same processes for all tests."""
    environment = {
        "AMA_KAFKA": deployment.kafka.address,
        "AMA_MONGO": deployment.mongo.uri,
        "AMA_KEYS": str(deployment.keys),
        "AMA_ISSUER": deployment.issuer.url,
        "AMA_DATABASE": "bad",
        "AMA_ONLY": PROGRAMME,
    }
    running = Services(deployment.folder, environment, deployment.issuer)
    try:
        await running.ready()
        yield running
    finally:
        await running.stop()


async def accounted_for(deployment: Deployment, services: Services, callers: Callers) -> None:
    """Check that every acknowledged command took effect once and in order, and that every caller got an answer in time."""
    await callers.finish()
    await services.ready()
    deployment.people += len(callers.admitted)
    async with one_caller(services, services.grouping) as client:

        async def pooled() -> bool:
            return bool((await client.get("pool")).json()["waiting"] >= deployment.people)

        with suppress(AssertionError):  # the checks below name what is missing
            await eventually(pooled, SETTLED)
        waiting = (await client.get("pool")).json()["waiting"]
    wrong, began = ["nothing was read"], time.monotonic()
    while wrong and time.monotonic() - began < COMMITTED:  # consumers read what the relay has not committed yet
        wrong = faults(await events_of(deployment.kafka.address, callers.marked), callers.admitted)
    assert wrong == [], f"of {len(callers.admitted)} people"
    assert waiting == deployment.people
    assert callers.wrong == []
    assert callers.slowest < HANGS


async def test_while_mongodb_changes_its_primary_commands_are_done_or_answered_503(
    deployment: Deployment, services: Services
) -> None:
    async with Callers(services) as callers:
        await callers.more(10)
        deployment.mongo.primary().ask("replSetStepDown", 5, force=True)
        await callers.more(10)
        frozen = deployment.mongo.primary()
        frozen.process.send_signal(signal.SIGSTOP)
        try:
            await callers.more(10)
        finally:
            frozen.process.send_signal(signal.SIGCONT)
        await accounted_for(deployment, services, callers)


@pytest.mark.long
async def test_a_primary_that_takes_what_is_asked_and_does_not_answer_keeps_nobody_waiting_and_may_be_killed(
    deployment: Deployment, services: Services
) -> None:
    async with Callers(services) as callers, one_caller(services) as client:
        await callers.more(10)
        primary = deployment.mongo.primary()
        primary.stall("bad_enrolment", "find", "insert", "update")
        body = {"partner": "afol", "person": PERSON}
        asked = [client.post("referrals", json=body) for _ in range(CROWD)] + [client.get("workers?limit=1")]
        answering = asyncio.gather(*asked)  # each hangs up after HANGS
        while not answering.done():
            assert (await client.get("healthz", timeout=ALIVE)).status_code == 200
            await asyncio.sleep(0.5)
        assert {(each.status_code, each.headers["retry-after"]) for each in await answering} == {(503, "2")}
        primary.process.kill()
        await callers.more(10)
        await asyncio.to_thread(deployment.mongo.up)
        await accounted_for(deployment, services, callers)


@pytest.mark.long
async def test_while_kafka_is_out_of_reach_commands_are_done_and_what_they_said_follows(
    deployment: Deployment, services: Services
) -> None:
    assert deployment.kafka.wire is not None
    async with Callers(services) as callers:
        await callers.more(10)
        try:
            deployment.kafka.wire.be(State.SILENT)
            await asyncio.gather(asyncio.sleep(SILENCE), services.name_as_missing("Kafka"), callers.more(10))
            deployment.kafka.wire.be(State.REFUSING)
            await asyncio.gather(asyncio.sleep(REFUSAL), services.name_as_missing("Kafka"), callers.more(10))
        finally:
            deployment.kafka.wire.be(State.WHOLE)
        assert callers.statuses[503] == 0  # no command needs the bus
        await accounted_for(deployment, services, callers)


@pytest.mark.long
async def test_when_kafkas_disk_is_full_commands_are_done_and_what_they_said_follows(
    deployment: Deployment, services: Services
) -> None:
    async with Callers(services) as callers:
        await callers.more(10)
        deployment.kafka.disk_full()
        await asyncio.to_thread(within, lambda: deployment.kafka.ended() is not None, "Kafka ends")
        await asyncio.gather(services.name_as_missing("Kafka"), callers.more(10))
        await asyncio.to_thread(deployment.kafka.up)
        assert callers.statuses[503] == 0
        await accounted_for(deployment, services, callers)


@pytest.mark.long
async def test_when_mongodbs_disk_is_full_commands_are_answered_503_until_there_is_room(
    deployment: Deployment, services: Services
) -> None:
    async with Callers(services) as callers:
        await callers.more(10)
        deployment.mongo.disk_full()
        await asyncio.to_thread(within, deployment.mongo.all_ended, "all of them end")
        await services.name_as_missing("MongoDB")
        await callers.answered_503()
        await asyncio.to_thread(deployment.mongo.up)
        await callers.more(10)
        await accounted_for(deployment, services, callers)


async def test_what_nobody_knows_whether_it_was_committed_is_not_done_twice(
    deployment: Deployment, services: Services
) -> None:
    """Commit, but let each answer say that no majority confirmed it. The caller sends no key."""
    primary, marked = deployment.mongo.primary(), mark()
    body = {"partner": "afol", "person": PERSON, "at": marked}
    async with one_caller(services) as client:
        primary.commit_unsurely("bad_enrolment")
        try:
            answer = await client.post("referrals", json=body)
        finally:
            primary.be_well()
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        later = (await client.post("referrals", json=body)).json()["worker"]

    async def said() -> set[str]:
        found = set((await events_of(deployment.kafka.address, marked))["ama.enrolment"])
        return found if later in found else set()

    assert len(await eventually(said, SETTLED)) == 2
