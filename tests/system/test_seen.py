"""Metrics on a port of their own, one trace through the services, a log without personal data."""

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families

from services.contracts.topics import SERVICES
from services.embedded.home import Home
from services.kernel import new_id
from services.runtime import gauges
from services.runtime.service import Service, running
from services.runtime.serving import build
from services.settings import Settings
from tests.helpers.callers import Caller
from tests.helpers.people import PROGRAMME, People, a_monday
from tests.helpers.waiting import eventually

Labels = dict[str, str]


async def figures(home: Home, name: str, **labels: str) -> list[tuple[Labels, float]]:
    """The samples of that name and these labels, as a scraper reads them."""
    async with httpx.AsyncClient() as client:
        text = (await client.get(home.metrics)).text
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return [
        (each.labels, each.value) for each in samples if each.name == name and labels.items() <= each.labels.items()
    ]


async def total(home: Home, name: str, **labels: str) -> float:
    return sum(value for _, value in await figures(home, name, **labels))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def seen(home: Home) -> AsyncIterator[InMemorySpanExporter]:
    """Every span of every service from now on."""
    exporter = InMemorySpanExporter()
    for service in home.all_services.services.values():
        service.telemetry.export_to(exporter)
    yield exporter


def spans(home: Home, seen: InMemorySpanExporter) -> list[ReadableSpan]:
    for service in home.all_services.services.values():
        service.telemetry.flush()
    return list(seen.get_finished_spans())


def service_of(span: ReadableSpan) -> str:
    return str(span.resource.attributes["service.name"]).removeprefix("ama-")


def trace_of(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.trace_id)


async def said_about(service: Service, subject: str) -> list[dict[str, Any]]:
    found = (
        await service.store["outbox"]
        .find({"key": subject, "topic": {"$not": {"$regex": "keys|contacts"}}})
        .to_list(None)
    )
    return [json.loads(each["value"]) for each in found if each["value"]]


async def referred(home: Home, name: str) -> str:
    """Refer a worker of this name who consents to everything, and admit them: three requests of three people."""
    return await People(home).admit(given_name=name, family_name="Seen", email="seen@example.org")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def group(home: Home, seen: InMemorySpanExporter) -> tuple[str, list[str]]:
    """A group and its members."""
    members = [await referred(home, f"Ada{number}") for number in range(10)]
    return await People(home).form(members, a_monday(3), "seen"), members


async def test_a_referral_is_one_trace_through_the_services(
    home: Home, seen: InMemorySpanExporter, group: tuple[str, list[str]]
) -> None:
    services, worker = home.all_services.services, group[1][0]
    said = await said_about(services["enrolment"], worker)
    assert {each["type"].rpartition(".v")[0].rpartition("amalavoro.")[2] for each in said} >= {
        "enrolment.worker.referred", "enrolment.consent.changed", "enrolment.worker.admitted",
    }  # fmt: skip
    (trace,) = {each["traceparent"][3:35] for each in said}

    async def reached() -> bool:
        return {service_of(span) for span in spans(home, seen) if trace_of(span) == int(trace, 16)} >= {
            "enrolment", "grouping", "sessions", "notifications",
        }  # fmt: skip

    assert await eventually(reached)
    waits = await said_about(services["grouping"], worker)
    assert {each["traceparent"][3:35] for each in waits} == {trace}


async def test_two_referrals_are_two_traces(home: Home, group: tuple[str, list[str]]) -> None:
    enrolment = home.all_services.services["enrolment"]
    said = [each for worker in group[1] for each in await said_about(enrolment, worker)]
    assert len({each["traceparent"][3:35] for each in said}) == len(group[1])


async def test_a_formation_is_linked_to_the_traces_of_its_members_and_goes_on_in_its_own(
    home: Home, seen: InMemorySpanExporter, group: tuple[str, list[str]]
) -> None:
    id, members = group
    enrolment = home.all_services.services["enrolment"]
    theirs = {int(each["traceparent"][3:35], 16) for worker in members for each in await said_about(enrolment, worker)}
    (own,) = {each["traceparent"][3:35] for each in await said_about(home.all_services.services["grouping"], id)}
    formation = next(span for span in spans(home, seen) if span.name == "form" and trace_of(span) == int(own, 16))
    assert {link.context.trace_id for link in formation.links} == theirs
    assert len(theirs) == len(members)
    assert int(own, 16) not in theirs

    async def reached() -> bool:
        return {service_of(span) for span in spans(home, seen) if trace_of(span) == int(own, 16)} >= {
            "grouping", "sessions", "notifications",
        }  # fmt: skip

    assert await eventually(reached)


async def test_a_span_says_what_was_done_and_of_nobody(
    home: Home, seen: InMemorySpanExporter, group: tuple[str, list[str]]
) -> None:
    shown = " ".join(span.to_json() for span in spans(home, seen))
    for word in ("Ada", "Seen", "seen@example.org", *group[1]):
        assert word not in shown


async def test_figures_of_all_five_services_are_on_one_port_of_their_own(home: Home) -> None:
    async def all_shown() -> bool:
        lags = {labels["service"] for labels, _ in await figures(home, "ama_lag")}
        ages = {labels["service"] for labels, _ in await figures(home, "ama_outbox_age_seconds")}
        return lags == ages == set(SERVICES)

    assert await eventually(all_shown)
    assert home.metrics.partition("/metrics")[0] != home.base
    assert home.metrics in home.addresses().values()


async def test_commands_are_counted_by_outcome(home: Home) -> None:
    async def counted(outcome: str) -> float:
        return await total(home, "ama_commands_total", service="enrolment", command="admit", outcome=outcome)

    done, missing, again = [await counted(each) for each in ("done", "no-such-worker", "not-referred")]
    worker, operator = await referred(home, "Ada"), Caller(home, "operator", PROGRAMME)
    assert (await operator("POST", f"/enrolment/workers/{new_id()}/admission")).status_code == 404
    refused = (await operator("POST", f"/enrolment/workers/{worker}/admission")).json()["code"]
    assert (await counted("done"), await counted("no-such-worker")) == (done + 1, missing + 1)
    assert await counted(refused) >= (again if refused == "not-referred" else 0) + 1


async def test_what_was_said_and_relayed_is_counted_and_nothing_stays_behind(home: Home) -> None:
    said, relayed = [await total(home, f"ama_{name}_total", service="enrolment") for name in ("events_said", "relayed")]
    await referred(home, "Ada")
    assert await total(home, "ama_events_said_total", service="enrolment") >= said + 7

    async def sent() -> bool:
        return await total(home, "ama_relayed_total", service="enrolment") >= relayed + 7

    assert await eventually(sent)
    behind: list[tuple[Labels, float]] = []

    async def level() -> bool:
        behind[:] = [
            each for name in ("lag", "outbox_age_seconds") for each in await figures(home, f"ama_{name}") if each[1]
        ]
        return not behind

    with suppress(AssertionError):
        await eventually(level, 120)
    assert behind == []


@pytest.mark.parametrize("figure", ["parked", "holes", "dead"])  # language: kept, the metric's name
async def test_what_waits_and_what_was_given_up_is_shown_by_consumer(settings: Settings, figure: str) -> None:
    service = build("grouping", settings)
    since = datetime.now(UTC)
    parked = [{"consumer": "reactions", "status": each, "since": since} for each in ("gap", "gap", "not-yet")]
    async with running(service, ["api"]):
        await service.store["parked"].insert_many(parked)
        await service.store["dead"].insert_many(
            [{"consumer": "projections.g1", "status": "open"}, {"consumer": "projections.g1", "status": "dismissed"}]
        )
        await gauges.look(service.store, service.runners, service.metrics)
    wanted = {"parked": ("reactions", 3), "holes": ("reactions", 2), "dead": ("projections.g1", 1)}  # language: kept
    consumer, value = wanted[figure]
    assert (
        service.metrics.registry.get_sample_value(f"ama_{figure}", {"service": "grouping", "consumer": consumer})
        == value
    )


async def test_what_no_relay_sends_grows_old_and_is_young_again_once_sent(settings: Settings) -> None:
    from grouping.registers.commands import RegisterPlace, register_place

    place = RegisterPlace(
        place=f"p-{settings.database}", title="Casa", address="Via", municipality="monza", rooms=1, access=True
    )
    service = build("grouping", settings)
    async with running(service, ["api"]):
        assert await gauges.outbox_age(service.store) == 0
        await service.do(register_place, place, PROGRAMME)
        await asyncio.sleep(0.5)
        assert 0.5 <= await gauges.outbox_age(service.store) < 5
    sending = build("grouping", settings)
    async with running(sending, ["relay"]):

        async def sent() -> bool:
            return await gauges.outbox_age(sending.store) == 0

        assert await eventually(sent)


async def test_what_a_consumer_has_not_read_is_its_lag(settings: Settings) -> None:
    service = build("analytics", settings)
    async with running(service, ["consume"]):
        runner = next(iter(service.runners.values()))

        async def level() -> bool:
            return await runner.behind() == 0

        assert await eventually(level)
        read, there = await runner.level()
        assert read == there


def test_the_log_of_everything_on_one_machine_is_a_file_and_the_terminal_stays_clean(tmp_path: Path) -> None:
    code = (
        "import logging, pathlib, sys; from services.cli.run import log_to; log_to(pathlib.Path(sys.argv[1]));"
        "logging.getLogger('aiokafka').error('node %s is away', 1);"
        "logging.getLogger('services.events.outbox.relay').warning('relay begins again', extra="
        "{'service': 'grouping'})"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
    lines = [json.loads(line) for line in (tmp_path / "ama.log").read_text().splitlines()]
    assert [(line["logger"], line["event"]) for line in lines] == [
        ("aiokafka", "node 1 is away"),
        ("services.events.outbox.relay", "relay begins again"),
    ]


async def test_of_a_command_that_fails_the_log_has_no_word_that_anybody_wrote(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        await referred(home, "Nobodyknows")
        await Caller(home, "operator", PROGRAMME)(
            "POST", "/enrolment/referrals", {"person": {"given_name": "Nobodyknows"}}
        )
    assert "Nobodyknows" not in caplog.text
