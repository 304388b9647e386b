"""Metrics: what one service counts, in one registry, named here and nowhere else; and the port that shows them.

Invariant: labels are names of our own (command, consumer, outcome), never an id, so that their number is bounded.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from faststream.kafka.prometheus import KafkaPrometheusMiddleware
from prometheus_client import CollectorRegistry, Counter, Gauge, Metric, start_http_server
from prometheus_client.registry import Collector

from services.settings import Misconfigured


class Metrics:
    """The figures of one service, in one registry."""

    def __init__(self, service: str) -> None:
        self.service, self.registry = service, CollectorRegistry()
        self._commands = self._counter("commands", "Commands by outcome", "command", "outcome")
        self._said = self._counter("events_said", "Events committed to the outbox")
        self._relayed = self._counter("relayed", "Outbox records committed to the bus")
        self._commits = self._counter("relay_commits", "Transactions committed to the bus")
        self._taken = self._counter("taken", "Records by outcome", "consumer", "outcome")
        self.consumers: set[str] = set()  # whose gauges are shown
        self._gauges = {
            name: Gauge(f"ama_{name}", text, ["service", "consumer"], registry=self.registry)
            for name, text in (
                ("lag", "Records on the bus that the consumer has not taken"),
                ("parked", "Events that wait"),
                ("holes", "Events that wait for a predecessor"),
                ("dead", "Dead letters"),
                ("outbox_age_seconds", "Age of the oldest outbox record that is not on the bus"),
            )
        }

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"ama_{name}", text, ["service", *labels], registry=self.registry)

    def middleware(self) -> KafkaPrometheusMiddleware:
        """FastStream's own figures of what it receives, in the same registry."""
        return KafkaPrometheusMiddleware(
            registry=self.registry, app_name=f"ama-{self.service}", metrics_prefix="ama_bus"
        )

    def commanded(self, command: str, outcome: str) -> None:
        """A command ended: done, refused by a code, unavailable, failed."""
        self._commands.labels(self.service, command, outcome).inc()

    def said(self, number: int) -> None:
        """So many events were committed to the outbox."""
        self._said.labels(self.service).inc(number)

    def relayed(self, number: int) -> None:
        """One transaction put so many records on the bus."""
        self._relayed.labels(self.service).inc(number)
        self._commits.labels(self.service).inc()

    def took(self, consumer: str, counts: Mapping[str, int]) -> None:
        """A batch was taken with these outcomes."""
        for outcome, number in counts.items():
            self._taken.labels(self.service, consumer, outcome).inc(number)

    def gauge(self, name: str, consumer: str, value: float) -> None:
        """How it stands now: lag, parked, holes, dead, outbox_age_seconds."""
        self.consumers.add(consumer)
        self._gauges[name].labels(self.service, consumer).set(value)


class _Together(Collector):
    """Several registries as one: families of one name become one family, as the exposition format wants."""

    def __init__(self, registries: Iterable[CollectorRegistry]) -> None:
        self._registries = list(registries)

    def collect(self) -> Iterator[Metric]:
        """Every family once."""
        families: dict[str, Metric] = {}
        for registry in self._registries:
            for family in registry.collect():
                whole = families.setdefault(
                    family.name, Metric(family.name, family.documentation, family.type, family.unit)
                )
                whole.samples.extend(family.samples)
        yield from families.values()


@contextmanager
def serving_metrics(port: int, metrics: Iterable[Metrics], host: str = "127.0.0.1") -> Iterator[int]:
    """Show the figures of these services at `/metrics` of a port of their own, from a thread, for as long as the block runs. Gives
    the port (0 takes a free one). Misconfigured when it is taken."""
    registry = CollectorRegistry()
    registry.register(_Together(each.registry for each in metrics))
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        raise Misconfigured(
            f"Port {port} for metrics cannot be had: {error.strerror}. Set AMA_METRICS_PORT."
        ) from error
    try:
        yield int(server.server_port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
