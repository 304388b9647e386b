"""Traces: the spans of one service, joined to those of others by W3C trace context.

Invariant: a span holds the name and the outcome of an action, never its data. The text of an exception may hold a payload, so its type
alone is recorded.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry import context, trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, Status, StatusCode, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from services.kernel import Refused
from services.settings import Settings

W3C = TraceContextTextMapPropagator()
IDS = RandomIdGenerator()


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
        parent = W3C.extract({"traceparent": traceparent}) if traceparent else context.get_current()
        if not self._exporting:
            with trace.use_span(_unrecorded(parent)):
                yield
            return
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
        """Return the current span as a W3C traceparent."""
        here = trace.get_current_span().get_span_context()
        return f"00-{here.trace_id:032x}-{here.span_id:016x}-{here.trace_flags:02x}" if here.is_valid else None

    def flush(self) -> None:
        """Export the spans that wait."""
        self._provider.force_flush()

    def close(self) -> None:
        """Export the spans that wait, and stop."""
        self._provider.shutdown()


def _unrecorded(parent: context.Context) -> Span:
    """Return a span that is not exported, only passed on to other services, which may export. A recorded one costs four times as much."""
    above = trace.get_current_span(parent).get_span_context()
    known = above.is_valid
    return NonRecordingSpan(
        SpanContext(
            trace_id=above.trace_id if known else IDS.generate_trace_id(),
            span_id=IDS.generate_span_id(),
            is_remote=False,
            # Sampled, because a service further on may export its spans.
            trace_flags=above.trace_flags if known else TraceFlags(TraceFlags.SAMPLED),
            trace_state=above.trace_state,
        )
    )


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
