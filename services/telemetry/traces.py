"""Traces: the spans of one service, joined to those of others by W3C trace context.

Invariants: a span holds the name and the outcome of an action, never its data. The text of an exception may hold a payload, so its type
alone is recorded. Without an exporter no span is made, and the trace goes on all the same: another service may export its spans.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry import context, trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Link, Span, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from services.kernel import Refused
from services.settings import Settings

W3C = TraceContextTextMapPropagator()
IDS = RandomIdGenerator()
_LEGAL = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")  # W3C trace context, version 00
_passed_on: ContextVar[str | None] = ContextVar("passed_on", default=None)  # the traceparent of a block without a span


class Telemetry:
    """The tracer of one service. Spans go to `exporter`, else to `settings.otlp`, else nowhere."""

    def __init__(self, service: str, settings: Settings, exporter: SpanExporter | None = None) -> None:
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": f"ama-{service}"}), shutdown_on_exit=False
        )
        self._exporting = False
        if exporter is None and settings.otlp:
            # Imported here, because only a service with an endpoint needs it.
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            exporter = OTLPSpanExporter(endpoint=settings.otlp)
        if exporter is not None:
            self.export_to(exporter)
        self.tracer = self._provider.get_tracer("ama")

    def export_to(self, exporter: SpanExporter) -> None:
        """Send the spans that end from now on to this exporter, too."""
        self._exporting = True
        self._provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=500))

    @contextmanager
    def span(self, name: str, traceparent: str | None = None, links: Sequence[str] = ()) -> Iterator[None]:
        """Open a span in the trace that `traceparent` names (else in the current one), linked to others, for the block."""
        given = traceparent or _passed_on.get()
        # Objects of OpenTelemetry that nobody is shown would cost a consumer a tenth of its time.
        before = _passed_on.set(None if self._exporting else _continued(given))
        try:
            if self._exporting:
                with self._shown(name, given, links):
                    yield
            else:
                yield
        finally:
            _passed_on.reset(before)

    @contextmanager
    def _shown(self, name: str, traceparent: str | None, links: Sequence[str]) -> Iterator[None]:
        """Open a span that is exported."""
        parent = W3C.extract({"traceparent": traceparent}) if traceparent else context.get_current()
        found = [link for each in links if (link := _link(each))]
        # OpenTelemetry would record the text of an exception, which may hold a payload.
        with self.tracer.start_as_current_span(
            name, parent, links=found, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except Exception as error:
                _ended_by(span, error)
                raise

    @staticmethod
    def link(traceparents: Sequence[str]) -> None:
        """Link the current span to spans of other traces that led to it."""
        span = trace.get_current_span()
        for each in traceparents if span.is_recording() else ():
            if link := _link(each):
                span.add_link(link.context)

    @staticmethod
    def traceparent() -> str | None:
        """Return the current span, or the one that the current trace was passed on from, as a W3C traceparent."""
        return _passed_on.get() or _current()

    def flush(self) -> None:
        """Export the spans that wait."""
        self._provider.force_flush()

    def close(self) -> None:
        """Export the spans that wait, and stop."""
        self._provider.shutdown()


def _current() -> str | None:
    here = trace.get_current_span().get_span_context()
    return f"00-{here.trace_id:032x}-{here.span_id:016x}-{here.trace_flags:02x}" if here.is_valid else None


def _continued(traceparent: str | None) -> str:
    """Return the traceparent of a block without a span: the given one unchanged (else that of the current span), or a new trace."""
    above = traceparent or _current()
    if above is not None and _LEGAL.fullmatch(above):
        return above
    # Sampled, because a service further on may export its spans.
    return f"00-{IDS.generate_trace_id():032x}-{IDS.generate_span_id():016x}-01"


def _ended_by(span: Span, error: Exception) -> None:
    """Note the outcome: a refusal is an answer, any other exception an error."""
    if isinstance(error, Refused):
        span.set_attribute("ama.refused", error.code)
        return
    span.set_attribute("error.type", type(error).__name__)
    span.set_status(Status(StatusCode.ERROR, type(error).__name__))


def _link(traceparent: str) -> Link | None:
    span = trace.get_current_span(W3C.extract({"traceparent": traceparent})).get_span_context()
    return Link(span) if span.is_valid else None
