"""What is seen from outside: log lines, traces, metrics. Ids only, never what was said of anybody.

Invariant: nothing here is global but the log's format; each service has its own tracer and its own registry.
"""

import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import structlog
from faststream.kafka.prometheus import KafkaPrometheusMiddleware
from opentelemetry import context, trace
from opentelemetry.propagate import extract
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Link
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import CollectorRegistry, Counter, Gauge

from services.settings import Settings

TOLD = {"service", "consumer", "error", "topic", "offset", "attempt", "origin", "reason", "partner", "status", "route", "count"}
W3C = TraceContextTextMapPropagator()


class Telemetry:
    """The tracer of one service."""

    def __init__(self, service: str, settings: Settings, exporter: SpanExporter | None = None) -> None:
        self._provider = TracerProvider(resource=Resource.create({"service.name": f"ama-{service}"}), shutdown_on_exit=False)
        if exporter is None and settings.otlp:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            exporter = OTLPSpanExporter(endpoint=settings.otlp)
        if exporter is not None:
            self._provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=500))
        self._tracer = self._provider.get_tracer("ama")

    @contextmanager
    def span(self, name: str, traceparent: str | None = None, links: Sequence[str] = ()) -> Iterator[None]:
        """A span, in the trace that `traceparent` names (else in the current one), linked to others."""
        parent = W3C.extract({"traceparent": traceparent}) if traceparent else context.get_current()
        with self._tracer.start_as_current_span(name, parent, links=[link for each in links if (link := _link(each))]):
            yield

    @staticmethod
    def link(traceparents: Sequence[str]) -> None:
        """Link the current span to those that led to it by another road."""
        span = trace.get_current_span()
        for each in traceparents:
            if link := _link(each):
                span.add_link(link.context)

    @staticmethod
    def traceparent() -> str | None:
        """The current span as a W3C traceparent."""
        carrier: dict[str, str] = {}
        W3C.inject(carrier)
        return carrier.get("traceparent")

    def flush(self) -> None:
        """Export what is waiting."""
        self._provider.force_flush()

    def close(self) -> None:
        """Export what is waiting, and end."""
        self._provider.shutdown()


def _link(traceparent: str) -> Link | None:
    span = trace.get_current_span(extract({"traceparent": traceparent})).get_span_context()
    return Link(span) if span.is_valid else None


class Metrics:
    """The figures of one service, in one registry."""

    def __init__(self, service: str) -> None:
        self.service, self.registry = service, CollectorRegistry()
        self._commands = Counter("ama_commands", "Commands by outcome", ["service", "command", "outcome"], registry=self.registry)
        self._relayed = Counter("ama_relayed", "Outbox records committed to the bus", ["service"], registry=self.registry)
        self._taken = Counter("ama_taken", "Records by outcome", ["service", "consumer", "outcome"], registry=self.registry)
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

    def middleware(self) -> KafkaPrometheusMiddleware:
        """FastStream's own figures of what it receives, in the same registry."""
        return KafkaPrometheusMiddleware(registry=self.registry, app_name=f"ama-{self.service}", metrics_prefix="ama_bus")

    def commanded(self, command: str, outcome: str) -> None:
        """A command ended: done, refused by a code, unavailable, failed."""
        self._commands.labels(self.service, command, outcome).inc()

    def relayed(self, number: int) -> None:
        """So many records were committed to the bus."""
        self._relayed.labels(self.service).inc(number)

    def took(self, consumer: str, counts: Mapping[str, int]) -> None:
        """A batch was taken with these outcomes."""
        for outcome, number in counts.items():
            self._taken.labels(self.service, consumer, outcome).inc(number)

    def gauge(self, name: str, consumer: str, value: float) -> None:
        """How it stands now: lag, parked, holes, dead, outbox_age_seconds."""
        self._gauges[name].labels(self.service, consumer).set(value)


def log_as_json() -> None:
    """Every log line of the process as JSON on standard error, with known fields only."""
    chain: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(allow=TOLD),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=chain, processors=last))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in ("aiokafka", "faststream"):
        logging.getLogger(name).setLevel(logging.ERROR)
