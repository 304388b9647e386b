"""Alerts about the environment of a service: disks, key files, engines, and the public front with its certificate."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

import enrolment.app
from services.engines.ports import LOOPBACK, free_port
from services.runtime.service import Service, running
from tests.alerts.conftest import refer, watched
from tests.alerts.fronts import NAME, certificate, front
from tests.alerts.server import Prometheus
from tests.helpers.own_engines import Apart
from tests.helpers.waiting import eventually
from tests.helpers.wire import State, Wire


@pytest.mark.long
async def test_disks_are_as_the_machine_says_and_figures_are_young(
    ground: Apart, enrolled: Service, watcher: Prometheus
) -> None:
    async with running(enrolled, ["api"]), watched(watcher, enrolled):
        for engine in ("kafka", "mongodb"):

            async def sizes(one: str = engine) -> list[float]:
                figures = [f'ama_disk_{what}_bytes{{engine="{one}"}}' for what in ("size", "available")]
                found = [float(each["value"][1]) for figure in figures for each in await watcher.now(figure)]
                return found if len(found) == 2 else []

            size, available = await eventually(sizes)
            machine = shutil.disk_usage(ground.settings().keys)
            assert size == machine.total
            assert available == pytest.approx(machine.free, rel=0.2)
        assert 0 <= float((await watcher.now("time() - ama_last_look_timestamp_seconds"))[0]["value"][1]) < 60


@pytest.mark.long
async def test_key_files_that_went_away(enrolled: Service, watcher: Prometheus, own_keys: Path) -> None:
    async with running(enrolled, ["api"]), watched(watcher, enrolled):
        await refer(enrolled)
        await watcher.until_over("KeysUnreadable", service="enrolment")
        kept = (own_keys / "master.jwks").rename(own_keys / "elsewhere")
        await watcher.until("KeysUnreadable", service="enrolment")
        kept.rename(own_keys / "master.jwks")
        await watcher.until_over("KeysUnreadable", service="enrolment")


@pytest.mark.long
async def test_an_engine_that_does_not_answer(ground: Apart, watcher: Prometheus) -> None:
    port, target = free_port(), int(ground.engines.kafka.rpartition(":")[2])
    wire = Wire(port, target)
    try:
        service = enrolment.app.build(ground.settings().model_copy(update={"kafka": f"{LOOPBACK}:{port}"}))
        async with running(service, ["api"]), watched(watcher, service):
            await watcher.until_asked("enrolment")
            await watcher.until_over("EngineNotReady", service="enrolment")
            wire.be(State.REFUSING)
            await watcher.until("EngineNotReady", service="enrolment", engine="kafka")
            assert not await watcher.firing(alertname="EngineNotReady", engine="mongodb")
            wire.be(State.WHOLE)
            await watcher.until_over("EngineNotReady", service="enrolment")
    finally:
        wire.close()


@pytest.mark.long
async def test_a_front_without_a_certificate_and_certificates_that_end(
    ground: Apart, watcher: Prometheus, tmp_path: Path
) -> None:
    port = free_port()
    public = {"public_url": f"https://{NAME}", "front": f"{LOOPBACK}:{port}"}
    service = enrolment.app.build(ground.settings().model_copy(update=public))
    async with running(service, ["api"]), watched(watcher, service):
        await watcher.until("FrontUnreachable")
        ending, ends = certificate(tmp_path, timedelta(days=89), timedelta(hours=1))
        async with front(port, ending):
            await watcher.until("CertificateEnds")
            await watcher.until_over("FrontUnreachable")
            (sample,) = await watcher.now("ama_certificate_not_after_timestamp_seconds")
            assert float(sample["value"][1]) == ends.timestamp()
            assert not await watcher.firing(alertname="CertificateEnded")
        async with front(port, certificate(tmp_path, timedelta(days=90), timedelta(seconds=-1))[0]):
            await watcher.until("CertificateEnded")
        async with front(port, certificate(tmp_path, timedelta(hours=1), timedelta(hours=11))[0]):
            await watcher.until_over("CertificateEnded")
            await watcher.until_over("CertificateEnds")
