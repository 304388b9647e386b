"""Metrics: what one service counts, in one registry, named here and nowhere else; and the port that shows them.

Invariants: labels are names of our own (command, consumer, outcome), never an id, so that their number is bounded; what an alert goes by
is there from the start, at 0 where nothing happened yet, since a rate sees no step out of nothing; a figure that cannot be had is taken
away instead of staying as it was.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from faststream.kafka.prometheus import KafkaPrometheusMiddleware
from prometheus_client import CollectorRegistry, Counter, Gauge, Metric, start_http_server
from prometheus_client.registry import Collector

from services.settings import Misconfigured

OF_CONSUMERS = {
    "lag": "Records on the bus that the consumer has not taken, of the partitions that this copy holds",
    "parked": "Events that wait",
    "parked_age_seconds": "Age of the oldest event that waits for what comes by another road",
    "holes": "Events that wait for a predecessor",
    "dead": "Dead letters",
    "outbox_age_seconds": "Age of the oldest outbox record that is not on the bus",
}
OF_THE_SERVICE: dict[str, tuple[str, tuple[str, ...]]] = {
    "role_running": ("Whether this copy has the role (api, consume, relay)", ("role",)),
    "relay_held": ("Whether some copy's relay holds the lease, by the database's clock", ()),
    "last_look_timestamp_seconds": ("When the figures of events were last seen in full", ()),
    "engine_up": ("Whether the engine answers this copy", ("engine",)),
    "disk_size_bytes": ("Size of the file system with an engine's data, as the engine says", ("engine", "node")),
    "disk_available_bytes": ("What is free on it, as the engine says", ("engine", "node")),
    "keys_readable": ("Whether the key files, as they are now, open what is stored", ()),
    "front_up": ("Whether the public front answers by TLS", ()),
    "certificate_not_before_timestamp_seconds": ("When the public front's certificate began to be valid", ()),
    "certificate_not_after_timestamp_seconds": ("When the public front's certificate ends", ()),
}
REASONS = ("fenced", "deposed", "bus lost", "engine")  # why a relay begins again
ANSWERS = ("1xx", "2xx", "3xx", "4xx", "5xx")


class Metrics:
    """The figures of one service, in one registry."""

    def __init__(self, service: str) -> None:
        self.service, self.registry = service, CollectorRegistry()
        self._commands = self._counter("commands", "Commands by outcome", "command", "outcome")
        self._said = self._counter("events_said", "Events committed to the outbox")
        self._relayed = self._counter("relayed", "Outbox records committed to the bus")
        self._commits = self._counter("relay_commits", "Transactions committed to the bus")
        self._taken = self._counter("taken", "Records by outcome", "consumer", "outcome")
        self._began_again = self._counter("relay_restarts", "Relays that began again, by reason", "reason")
        self._answered = self._counter("http_requests", "Requests answered, health aside, by class of status", "status")
        self.consumers: set[str] = set()  # whose gauges are shown
        self._gauges = {
            **{name: self._gauge(name, text, "consumer") for name, text in OF_CONSUMERS.items()},
            **{name: self._gauge(name, text, *labels) for name, (text, labels) in OF_THE_SERVICE.items()},
        }
        self._begin_at_nothing()

    def _begin_at_nothing(self) -> None:
        for counter in (self._said, self._relayed, self._commits):
            counter.labels(self.service)
        for reason in REASONS:
            self._began_again.labels(self.service, reason)
        for status in ANSWERS:
            self._answered.labels(self.service, status)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"ama_{name}", text, ["service", *labels], registry=self.registry)

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

    def began_again(self, reason: str) -> None:
        """The relay met something that ended its life of this time: one of REASONS."""
        self._began_again.labels(self.service, reason).inc()

    def answered(self, status: int) -> None:
        """A request was answered with this status."""
        self._answered.labels(self.service, f"{status // 100}xx").inc()

    def gauge(self, name: str, consumer: str, value: float) -> None:
        """How a consumer stands now: one of OF_CONSUMERS."""
        self.consumers.add(consumer)
        self._gauges[name].labels(self.service, consumer).set(value)

    def stands(self, name: str, value: float, *labels: str) -> None:
        """How the service stands now: one of OF_THE_SERVICE, with the labels that are listed there."""
        self._gauges[name].labels(self.service, *labels).set(value)

    def unknown(self, *names: str) -> None:
        """These cannot be seen now."""
        for name in names:
            self._gauges[name].clear()


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
