"""A real Prometheus with the project's own configuration and rules.

Invariant: expressions and labels are those of ops/prometheus. Three things differ: the services' addresses (ports that are known
beforehand, since Prometheus takes five seconds to notice new ones), the intervals, and `for`, which is 0 s (promtool tests it).
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from services.engines.ports import LOOPBACK, free_port
from services.engines.supervise import Supervised
from tests.alerts.brought import program
from tests.helpers.waiting import eventually

OPS = Path(__file__).parents[2] / "ops" / "prometheus"
OFTEN = "500ms"
PLACES = 16  # ports that are scraped
SELECTOR = re.compile(r"\b(?:ama_\w+|up\b)(?:\{[^}]*\})?")
GROUPING = re.compile(r"\b(?:by|on) \(([^)]*)\)")
Alert = dict[str, str]


def rules() -> list[dict[str, Any]]:
    """The alert rules, as ops/prometheus writes them."""
    written = yaml.safe_load((OPS / "rules.yml").read_text())
    return [rule for group in written["groups"] for rule in group["rules"]]


def selectors(rule: dict[str, Any]) -> set[str]:
    """Selectors of a rule's expression: names of metrics, with the labels that it wants."""
    return set(SELECTOR.findall(rule["expr"]))


def grouping(rule: dict[str, Any]) -> set[str]:
    """The labels that a rule groups by."""
    return {label.strip() for some in GROUPING.findall(rule["expr"]) for label in some.split(",")}


def _free_ports(number: int) -> list[int]:
    found: set[int] = set()
    while len(found) < number:
        found.add(free_port(others=found))
    return list(found)


class Prometheus:
    """A Prometheus server that scrapes the services at its ports."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.base, *self._places = [f"http://{LOOPBACK}:{port}" for port in _free_ports(PLACES + 1)]

    def configuration(self) -> Path:
        """Write the configuration of the server. Gives its path."""
        written = yaml.safe_load((OPS / "prometheus.yml").read_text())
        written["global"] = {"scrape_interval": OFTEN, "evaluation_interval": OFTEN}
        (job,) = written["scrape_configs"]
        del job["dns_sd_configs"], job["relabel_configs"]
        job["static_configs"] = [{"targets": [place.removeprefix("http://") for place in self._places]}]
        groups = yaml.safe_load((OPS / "rules.yml").read_text())
        for rule in [rule for group in groups["groups"] for rule in group["rules"]]:
            rule["for"] = "0s"
        (self._folder / "rules.yml").write_text(yaml.safe_dump(groups))
        path = self._folder / "prometheus.yml"
        path.write_text(yaml.safe_dump(written))
        return path

    def place(self) -> int:
        """Take a free port that is scraped for metrics."""
        return int(self._places.pop().rpartition(":")[2])

    async def ask(self, path: str, **query: str) -> Any:
        """Send a query to the HTTP API. Gives the data of its answer."""
        async with httpx.AsyncClient(base_url=self.base, timeout=30) as client:
            answer = await client.get(f"/api/v1/{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def series(self, selector: str) -> list[dict[str, str]]:
        """Labels of every series that was exported under this selector."""
        return [dict(each) for each in await self.ask("series", **{"match[]": selector})]

    async def now(self, expression: str) -> list[dict[str, Any]]:
        """Samples of the expression at this moment."""
        return list((await self.ask("query", query=expression))["result"])

    async def until_asked(self, service: str) -> None:
        """Wait until its metrics were scraped once, so that the next change shows as a change."""

        async def seen() -> bool:
            return bool(await self.now(f'ama_last_look_timestamp_seconds{{service="{service}"}} > 0'))

        await eventually(seen)

    async def firing(self, **labels: str) -> list[Alert]:
        """Alerts that fire now and have these labels."""
        alerts = [each["labels"] for each in (await self.ask("alerts"))["alerts"] if each["state"] == "firing"]
        return [each for each in alerts if labels.items() <= each.items()]

    async def until(self, name: str, **labels: str) -> None:
        """Wait until this alert fires."""
        await eventually(lambda: self.firing(alertname=name, **labels))

    async def until_over(self, name: str, **labels: str) -> None:
        """Wait until the alert does not fire."""

        async def over() -> bool:
            return not await self.firing(alertname=name, **labels)

        await eventually(over)


@asynccontextmanager
async def prometheus(folder: Path) -> AsyncIterator[Prometheus]:
    """Start the server, and wait until it is ready."""
    server = Prometheus(folder)
    command = [
        str(await asyncio.to_thread(program, "prometheus")),
        f"--config.file={server.configuration()}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={server.base.removeprefix('http://')}",
        "--log.level=warn",
    ]
    with (folder / "lock").open("w") as lock:
        process = Supervised(command, folder / "prometheus.log", grace=10.0, lock=lock.fileno())

        async def ready() -> bool:
            assert process.ended() is None, (folder / "prometheus.log").read_text()
            try:
                async with httpx.AsyncClient() as client:
                    return (await client.get(f"{server.base}/-/ready")).status_code == 200
            except httpx.TransportError:
                return False

        try:
            await eventually(ready, 60)
            yield server
        finally:
            await asyncio.to_thread(process.stop)
