"""Each alert fires by its own expression in a real Prometheus, on the metrics of real services with a planted fault."""

import asyncio
import re
import sys
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import httpx
import psutil
import pytest

import enrolment.app
from grouping.registers.commands import RegisterPlace, register_place
from services.contracts import Event
from services.contracts.enrolment import WorkerReferred
from services.contracts.topics import SERVICES
from services.engines.ports import LOOPBACK, free_port
from services.engines.supervise import Supervised
from services.events.delivery.declare import Reactions
from services.events.inbox import dead_letters
from services.events.outbox.relay import first_id_of
from services.kernel import NotYet
from services.runtime.metrics_port import serving_metrics
from services.runtime.service import Service, running
from services.runtime.serving import alone, build, listen, serving
from services.store.clock import now_utc
from services.store.work import Work
from tests.alerts.conftest import refer, watched
from tests.alerts.fronts import NAME, certificate, front
from tests.alerts.server import Prometheus, grouping, rules, selectors
from tests.helpers.own_engines import PROGRAMME, Apart, event, listening, noting, subjects, tell, until_dead
from tests.helpers.services import SHIPPED
from tests.helpers.serving import issuing
from tests.helpers.waiting import eventually

LONG = timedelta(minutes=20)  # older than any alert lets something grow
BY_FIGURES_ALONE = {  # tried by promtool, and not here
    "FiguresOld": "two minutes must pass without a look",
    "ProgrammeFileLeft": "tests/programmes/test_changed_files.py sees its figure fall to 0",
    "DiskLow": "a full disk",
    "DiskNearlyFull": "a full disk",
    "DiskUnseen": "an engine that keeps its disk to itself",
}


def test_every_alert_fires_in_a_test_here_or_is_named_as_one_that_cannot() -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    fired = set(re.findall(r'until\(\s*"(\w+)"', tests))
    assert fired.isdisjoint(BY_FIGURES_ALONE)
    assert fired | set(BY_FIGURES_ALONE) == {rule["alert"] for rule in rules()}


@pytest.mark.long
async def test_a_consumer_that_hangs_and_is_far_behind(ground: Apart, watcher: Prometheus) -> None:
    """First of all, since no consumer of this name may have taken anything in the last ten minutes."""
    free, reactions = asyncio.Event(), Reactions()

    @reactions.on(WorkerReferred)
    async def when_a_worker_is_referred_it_hangs(_event: Event[WorkerReferred], _work: Work) -> None:
        await free.wait()

    service, here = ground.service(reactions), {"service": "grouping", "consumer": "reactions"}
    async with listening(service), watched(watcher, service):
        try:
            await tell(service.bus, *(event(each, 1) for each in subjects(1200)))
            await watcher.until("ConsumerStuck", **here)
            await watcher.until("ConsumerLags", **here)
        finally:
            free.set()
        await watcher.until_over("ConsumerLags", **here)
        await watcher.until_over("ConsumerStuck", **here)


@pytest.mark.long
async def test_where_all_is_well_nothing_fires_and_every_figure_of_every_rule_is_there(
    ground: Apart, watcher: Prometheus, tmp_path: Path
) -> None:
    port, (good, _) = free_port(), certificate(tmp_path, timedelta(days=30), timedelta(days=60))
    public = {"public_url": f"https://{NAME}", "front": f"{LOOPBACK}:{port}"}
    settings = ground.settings().model_copy(update=public)
    five = [build(name, settings) for name in SERVICES]
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(front(port, good))
        for service in five:
            await stack.enter_async_context(running(service))
        place = await stack.enter_async_context(serving_metrics(watcher.place(), [each.metrics for each in five]))
        await refer(next(each for each in five if each.name == "enrolment"))
        await everything_is_exported(watcher)
        await nothing_fires(watcher, f"{LOOPBACK}:{place}")


async def everything_is_exported(watcher: Prometheus) -> None:
    for rule in rules():
        for selector in selectors(rule):

            async def exported(one: str = selector) -> list[dict[str, str]]:
                return await watcher.series(one)

            for labels in await eventually(exported):
                assert grouping(rule) <= labels.keys(), (rule["alert"], selector)
    series = await watcher.series('{__name__=~"ama_.*"}')
    assert {each["service"] for each in series if each["__name__"].startswith("ama_role")} == set(SERVICES)


async def nothing_fires(watcher: Prometheus, instance: str) -> None:
    """Wait until no alert of this instance fires, except those about this machine's disk."""

    async def quiet() -> bool:
        alerts = [each for each in await watcher.firing() if each.get("instance", instance) == instance]
        return not [each for each in alerts if not each["alertname"].startswith("Disk")]

    try:
        await eventually(quiet, 30)
    except AssertionError as error:
        raise AssertionError(await watcher.firing()) from error


@pytest.mark.long
async def test_a_process_without_a_role_and_one_that_is_killed(
    ground: Apart, watcher: Prometheus, tmp_path: Path
) -> None:
    port = watcher.place()
    given = {"AMA_KAFKA": ground.engines.kafka, "AMA_MONGO": ground.engines.mongo, "AMA_METRICS_PORT": port}
    given |= {"AMA_KEYS": ground.settings().keys, "AMA_DATABASE": ground.settings().database, "AMA_ONLY": SHIPPED}
    ama = [str(Path(sys.executable).with_name("ama")), "serve", "sessions", "--roles", "api", "--port", "0"]
    here = {"job": "ama", "instance": f"{LOOPBACK}:{port}"}
    with (tmp_path / "lock").open("w") as lock:
        command = ["/usr/bin/env", *(f"{name}={value}" for name, value in given.items()), *ama]
        process = Supervised(command, tmp_path / "sessions.log", grace=20.0, lock=lock.fileno())
        try:
            await watcher.until_over("ServiceMissing", service="sessions")
            await watcher.until_over("ServiceDown", **here)
            for role in ("consume", "relay"):
                await watcher.until("RoleMissing", service="sessions", role=role)
            assert not await watcher.firing(alertname="RoleMissing", service="sessions", role="api")
            for each in psutil.Process(process.pid).children():
                each.kill()
            await watcher.until("ServiceDown", **here)
            await watcher.until("ServiceMissing", service="sessions")
        finally:
            await asyncio.to_thread(process.stop)


@pytest.mark.long
async def test_requests_that_fail(ground: Apart, watcher: Prometheus, tmp_path: Path) -> None:
    listening_at = listen(0)
    async with issuing(tmp_path) as (issuer, keys):
        settings = ground.settings().model_copy(update={"issuer": issuer.url, "keys": keys})
        service = enrolment.app.build(settings)
        async with (
            running(service, ["api"]),
            serving(alone(service, api=True), listening_at),
            watched(watcher, service),
        ):
            worker = await refer(service)
            await watcher.until_asked("enrolment")
            broken = {"$set": {"state.status": "no status"}}
            await service.store["worker"].update_one({"_id": f"{PROGRAMME}/{worker}"}, broken)
            bearer = {"Authorization": f"Bearer {issuer.token('operator', PROGRAMME, 'operator')}"}
            async with httpx.AsyncClient(headers=bearer, timeout=30) as client:
                for _ in range(10):
                    address = f"http://{LOOPBACK}:{listening_at.getsockname()[1]}/enrolment/workers/{worker}"
                    assert (await client.get(address)).status_code == 500
            await watcher.until("RequestsFail", service="enrolment")


@pytest.mark.long
async def test_a_relay_that_nobody_runs_and_a_lease_that_nobody_serves(ground: Apart, watcher: Prometheus) -> None:
    """Use grouping, which no other test here lets send events."""
    first, second = [build("grouping", settings) for settings in [ground.settings()] * 2]
    async with running(first, ["api"]), watched(watcher, first):
        place = RegisterPlace(place="casa", title="Casa", address="Via", municipality="monza", rooms=1, access=True)
        await first.do(register_place, place, PROGRAMME)
        await watcher.until("RelayNobodyLeads", service="grouping")
        await age_the_outbox(first)
        await watcher.until("OutboxOld", service="grouping")
        assert not await watcher.firing(alertname="RelayIdle")
        lease = {"holder": "somebody who hangs", "until": now_utc() + LONG, "token": None, "epoch": 1}
        await first.store["relay"].replace_one({"_id": "relay"}, lease, upsert=True)
        await watcher.until("RelayIdle", service="grouping")
        await watcher.until_over("RelayNobodyLeads", service="grouping")
        await first.store["relay"].update_one({"_id": "relay"}, {"$set": {"holder": None}})
        async with running(second, ["relay"]), watched(watcher, second):
            for mended in ("RelayIdle", "OutboxOld", "RelayNobodyLeads"):
                await watcher.until_over(mended, service="grouping")


async def age_the_outbox(service: Service) -> None:
    """Change the first outbox row so that it looks 20 minutes old."""
    row = await service.store["outbox"].find_one_and_delete({}, sort=[("_id", 1)])
    await service.store["outbox"].insert_one({**row, "_id": f"{first_id_of(now_utc() - LONG)}-7000-8000-000000000000"})


@pytest.mark.long
async def test_relays_that_drive_each_other_out(enrolled: Service, watcher: Prometheus) -> None:
    async with running(enrolled, ["relay"]), watched(watcher, enrolled):
        await watcher.until_asked("enrolment")

        async def driven_out() -> bool:
            rival = enrolled.bus.producer(f"{enrolled.store.name}.relay")
            await rival.start()
            await rival.stop()
            await refer(enrolled)  # who has nothing to send does not notice
            return bool(await watcher.firing(alertname="RelayFenced", service="enrolment"))

        await eventually(driven_out)
        await watcher.until("RelayFenced", service="enrolment")


@pytest.mark.long
async def test_events_that_fail_that_wait_and_that_lack_a_predecessor(ground: Apart, watcher: Prometheus) -> None:
    bad, late, gap = subjects(3)
    broken, missing = {bad}, {late}

    async def before(event: Event[WorkerReferred]) -> None:
        if event.subject in broken:
            raise KeyError(event.subject)
        if event.subject in missing:
            raise NotYet("what does not come")

    service, here = ground.service(noting([], before)), {"service": "grouping", "consumer": "reactions"}
    async with listening(service), watched(watcher, service):
        await tell(service.bus, event(bad, 1), event(late, 1), event(gap, 1), event(gap, 3))
        await watcher.until("DeadLetters", **here)
        await watcher.until("Holes", **here)
        (dead,) = await until_dead(service, f"{bad}-1")

        async def waits_long() -> bool:
            since = {"$set": {"since": now_utc() - LONG}}
            await service.store["parked"].update_many({"status": "not-yet"}, since)
            return bool(await watcher.firing(alertname="EventsWait", **here))

        await eventually(waits_long)
        await watcher.until("EventsWait", **here)
        broken.clear()
        missing.clear()
        await dead_letters.redrive(service.store, dead["_id"], "operator")
        await tell(service.bus, event(gap, 2))
        for mended in ("DeadLetters", "EventsWait", "Holes"):
            await watcher.until_over(mended, **here)
