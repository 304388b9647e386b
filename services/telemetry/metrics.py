"""Metrics: the counters and gauges of one service, in one registry, named here and nowhere else.

Invariants: a label is a name of the program (command, consumer, outcome), never an id, so that their number is bounded. A counter that
an alert uses exists from the start, at 0. A gauge whose value is unknown is removed.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from faststream.kafka.prometheus import KafkaPrometheusMiddleware
from prometheus_client import CollectorRegistry, Counter, Gauge, Metric
from prometheus_client.registry import Collector

OF_CONSUMERS = {
    "lag": "Records on the bus that the consumer has not consumed, of the partitions that this copy holds",
    "parked": "Events that wait",
    "parked_age_seconds": "Age of the oldest event that waits for a record of another topic",
    "holes": "Events that wait behind a gap, for a predecessor",  # language: kept (a public metric)
    "dead": "Dead letters",
    "outbox_age_seconds": "Age of the oldest outbox record that is not on the bus",
}
OF_THE_SERVICE: dict[str, tuple[str, tuple[str, ...]]] = {
    "role_running": ("Whether this copy has the role (api, consume, relay)", ("role",)),
    "relay_held": ("Whether some copy's relay holds the lease, by the database's clock", ()),
    "last_look_timestamp_seconds": ("When all gauges of the consumers were last set", ()),
    "engine_up": ("Whether the engine answers this copy", ("engine",)),
    "disk_size_bytes": ("Size of the file system with an engine's data, as the engine says", ("engine", "node")),
    "disk_available_bytes": ("Free space of that file system, as the engine says", ("engine", "node")),
    "keys_readable": ("Whether the key files, as they are now, open a stored key", ()),
    "programme_file_used": ("Whether the start published or kept what the programme's file says", ("programme",)),
    "front_up": ("Whether the public front answers by TLS", ()),
    "certificate_not_before_timestamp_seconds": ("When the public front's certificate began to be valid", ()),
    "certificate_not_after_timestamp_seconds": ("When the public front's certificate ends", ()),
}
REASONS = ("fenced", "deposed", "bus lost", "engine")  # for which a relay restarts
ANSWERS = ("1xx", "2xx", "3xx", "4xx", "5xx")


class Metrics:
    """The counters and gauges of one service."""

    def __init__(self, service: str) -> None:
        # Not the global registry, in which the services of one process would collide.
        self.service, self.registry = service, CollectorRegistry()
        self._commands = self._counter("commands", "Commands by outcome", "command", "outcome")
        self._recorded = self._counter("events_said", "Events committed to the outbox")
        self._relayed = self._counter("relayed", "Outbox records committed to the bus")
        self._commits = self._counter("relay_commits", "Transactions committed to the bus")
        self._taken = self._counter("taken", "Records by outcome", "consumer", "outcome")
        self._began_again = self._counter("relay_restarts", "Relays that began again, by reason", "reason")
        self._answered = self._counter("http_requests", "Requests answered, health aside, by class of status", "status")
        self.consumers: set[str] = set()  # those with gauges
        self._gauges = {
            **{name: self._gauge(name, text, "consumer") for name, text in OF_CONSUMERS.items()},
            **{name: self._gauge(name, text, *labels) for name, (text, labels) in OF_THE_SERVICE.items()},
        }
        self._begin_at_nothing()

    def _begin_at_nothing(self) -> None:
        # A rate sees no step from nothing: an alert would miss the first one.
        for counter in (self._recorded, self._relayed, self._commits):
            counter.labels(self.service)
        for reason in REASONS:
            self._began_again.labels(self.service, reason)
        self._answers = {status: self._answered.labels(self.service, status) for status in ANSWERS}

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"ama_{name}", text, ["service", *labels], registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"ama_{name}", text, ["service", *labels], registry=self.registry)

    def middleware(self) -> KafkaPrometheusMiddleware:
        """Build the middleware that counts, in the same registry, the records that FastStream receives."""
        return KafkaPrometheusMiddleware(
            registry=self.registry, app_name=f"ama-{self.service}", metrics_prefix="ama_bus"
        )

    def commanded(self, command: str, outcome: str) -> None:
        """Count a command by its outcome: `done`, the code of its refusal, `unavailable` or `failed`."""
        self._commands.labels(self.service, command, outcome).inc()

    def recorded(self, number: int) -> None:
        """Count events that were committed to the outbox."""
        self._recorded.labels(self.service).inc(number)

    def relayed(self, number: int) -> None:
        """Count one transaction on the bus and its records."""
        self._relayed.labels(self.service).inc(number)
        self._commits.labels(self.service).inc()

    def took(self, consumer: str, counts: Mapping[str, int]) -> None:
        """Count the records of a batch by outcome."""
        for outcome, number in counts.items():
            self._taken.labels(self.service, consumer, outcome).inc(number)

    def began_again(self, reason: str) -> None:
        """Count a restart of the relay, by one of REASONS."""
        self._began_again.labels(self.service, reason).inc()

    def answered(self, status: int) -> None:
        """Count an HTTP answer by the class of its status."""
        self._answers[ANSWERS[status // 100 - 1]].inc()

    def set_consumer_gauge(self, name: str, consumer: str, value: float) -> None:
        """Set a gauge of a consumer: one of OF_CONSUMERS."""
        self.consumers.add(consumer)
        self._gauges[name].labels(self.service, consumer).set(value)

    def drop_consumer_gauge(self, name: str, consumer: str) -> None:
        """Remove the value of a gauge of a consumer that does not run here any more."""
        with suppress(KeyError):  # it had none
            self._gauges[name].remove(self.service, consumer)

    def set_gauge(self, name: str, value: float, *labels: str) -> None:
        """Set a gauge of the service: one of OF_THE_SERVICE, with the values of the labels that are listed there."""
        self._gauges[name].labels(self.service, *labels).set(value)

    def clear(self, *names: str) -> None:
        """Remove the values of these gauges, since they are unknown now."""
        for name in names:
            self._gauges[name].clear()


class _Together(Collector):
    """Several registries as one: families of one name become one family, as the exposition format requires."""

    def __init__(self, registries: Iterable[CollectorRegistry]) -> None:
        self._registries = list(registries)

    def collect(self) -> Iterator[Metric]:
        """Return every family once, with the samples of all registries."""
        families: dict[str, Metric] = {}
        for registry in self._registries:
            for family in registry.collect():
                # The exposition format allows each family once.
                whole = families.setdefault(
                    family.name, Metric(family.name, family.documentation, family.type, family.unit)
                )
                whole.samples.extend(family.samples)
        yield from families.values()


def together(metrics: Iterable[Metrics]) -> CollectorRegistry:
    """Put the figures of these services into one registry."""
    registry = CollectorRegistry()
    registry.register(_Together(each.registry for each in metrics))
    return registry
