"""The metrics port: the figures of every service on one page, within the limits of every port."""

import asyncio
import threading

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.runtime.metrics_port import serving_metrics
from services.settings import Misconfigured
from services.telemetry import Metrics

HALF = 1_000  # half requests at a time; the limit of connections is 500


def figures(text: str) -> dict[tuple[str, str], float]:
    return {
        (sample.name, sample.labels.get("service", "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


async def shown(port: int) -> str:
    async with httpx.AsyncClient() as client:
        return (await client.get(f"http://127.0.0.1:{port}/metrics")).text


async def test_five_services_show_their_figures_on_one_port_each_family_once() -> None:
    five = [Metrics(name) for name in ("enrolment", "grouping")]
    five[0].commanded("admit", "done")
    five[1].recorded(3)
    five[1].relayed(2)
    five[1].relayed(5)
    five[1].took("reactions", {"taken": 4})
    five[0].set_consumer_gauge("lag", "desk", 7)
    five[0].middleware()
    async with serving_metrics(0, five) as port:
        text = await shown(port)
    assert text.count("# TYPE ama_commands_total ") == 1
    told = figures(text)
    assert told["ama_commands_total", "enrolment"] == 1
    assert (told["ama_events_said_total", "grouping"], told["ama_relayed_total", "grouping"]) == (3, 7)
    assert (told["ama_relay_commits_total", "grouping"], told["ama_taken_total", "grouping"]) == (2, 4)
    assert told["ama_lag", "enrolment"] == 7


async def test_a_scraper_that_asks_for_open_metrics_gets_them() -> None:
    async with serving_metrics(0, [Metrics("enrolment")]) as port, httpx.AsyncClient() as client:
        wish = {"Accept": "application/openmetrics-text;version=1.0.0;q=0.9,text/plain;q=0.5"}
        answer = await client.get(f"http://127.0.0.1:{port}/metrics", headers=wish)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


@pytest.mark.parametrize(
    "wish",
    [
        b"application/openmetrics-text; version=x; escaping=\xff",
        b"text/plain; version=x; escaping=\xff",
        b"application/openmetrics-text; version=1.0.0.0.0; escaping=",
        b"application/openmetrics-text;version=2.0.0;escaping=values",
        b";;=,=,\xff",
    ],
)
async def test_whatever_format_somebody_asks_for_the_figures_are_shown(wish: bytes) -> None:
    async with serving_metrics(0, [Metrics("enrolment")]) as port, httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{port}/metrics", headers=[(b"Accept", wish)])
    assert answer.status_code == 200
    assert "ama_relayed_total" in answer.text


async def test_a_port_that_is_taken_is_one_sentence() -> None:
    async with serving_metrics(0, []) as port:
        with pytest.raises(Misconfigured, match=f"Port {port} .* AMA_METRICS_PORT"):
            async with serving_metrics(port, []):
                pass


async def test_many_half_requests_start_no_thread_and_the_figures_are_still_shown() -> None:
    async with serving_metrics(0, [Metrics("enrolment")]) as port:
        before = threading.active_count()
        half = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in range(HALF)))
        for _, writer in half:
            writer.write(b"GET /metrics HTTP/1.1\r\nX")
        assert "ama_relayed_total" in await asyncio.wait_for(shown(port), 5)
        assert threading.active_count() <= before + 1
        ended = sum(reader.at_eof() for reader, _ in half)
        for _, writer in half:
            writer.close()
    assert ended >= HALF - 500
