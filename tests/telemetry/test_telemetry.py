"""Logs, traces and metrics name an action and its outcome, and nothing of a person."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.cli import main
from services.events.bus.client import THEIRS, Bus
from services.kernel import Refused
from services.telemetry import Metrics, Telemetry, log_as_json
from services.telemetry.traces import W3C
from tests.helpers.serving import settings_for

SETTINGS = settings_for("http://127.0.0.1:1/issuer")


@pytest.fixture
def seen() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def telemetry(seen: InMemorySpanExporter) -> Iterator[Telemetry]:
    made = Telemetry("enrolment", SETTINGS, seen)
    yield made
    made.close()


def spans(telemetry: Telemetry, seen: InMemorySpanExporter) -> dict[str, Any]:
    telemetry.flush()
    return {span.name: span for span in seen.get_finished_spans()}


def test_a_trace_goes_on_where_a_traceparent_says_in_another_service(
    telemetry: Telemetry, seen: InMemorySpanExporter
) -> None:
    other = Telemetry("grouping", SETTINGS, seen)
    with telemetry.span("admit"):
        told = telemetry.traceparent()
    with other.span("wait", traceparent=told):
        pass
    other.flush()
    done = spans(telemetry, seen)
    other.close()
    assert done["wait"].context.trace_id == done["admit"].context.trace_id
    assert done["wait"].parent.span_id == done["admit"].context.span_id
    assert {each.resource.attributes["service.name"] for each in done.values()} == {"ama-enrolment", "ama-grouping"}


def test_a_span_without_a_traceparent_stands_inside_the_current_one(
    telemetry: Telemetry, seen: InMemorySpanExporter
) -> None:
    with telemetry.span("outer"), telemetry.span("inner"):
        pass
    done = spans(telemetry, seen)
    assert done["inner"].parent.span_id == done["outer"].context.span_id


def test_a_formation_links_to_the_traces_of_its_members(telemetry: Telemetry, seen: InMemorySpanExporter) -> None:
    told = []
    for name in ("w1", "w2", "w3"):
        with telemetry.span(name):
            told.append(telemetry.traceparent() or "")
    with telemetry.span("form", links=[told[0], "nonsense"]):
        telemetry.link([told[1], told[2], ""])
    done = spans(telemetry, seen)
    assert [link.context.trace_id for link in done["form"].links] == [
        done[name].context.trace_id for name in ("w1", "w2", "w3")
    ]
    assert done["form"].parent is None


def test_a_traceparent_that_is_none_begins_a_trace(telemetry: Telemetry, seen: InMemorySpanExporter) -> None:
    with telemetry.span("outer"), telemetry.span("inner", traceparent="00-nonsense"):
        pass
    assert spans(telemetry, seen)["inner"].parent is None
    assert Telemetry.traceparent() is None


def test_without_an_exporter_no_span_is_made_and_the_trace_is_passed_on_as_it_came() -> None:
    unseen, told = Telemetry("enrolment", SETTINGS), f"00-{1:032x}-{2:016x}-01"
    with unseen.span("take", traceparent=told):
        assert not trace.get_current_span().get_span_context().is_valid
        assert unseen.traceparent() == told
        with unseen.span("inner"):
            assert unseen.traceparent() == told
    assert unseen.traceparent() is None
    unseen.close()


@pytest.mark.parametrize(
    "nonsense", ["", "nonsense", f"00-{0:032x}-{2:016x}-01", f"00-{1:032x}-{0:016x}-01", f"00-{1:032x}-{2:016x}-01-"]
)
def test_without_an_exporter_a_traceparent_that_is_none_begins_a_trace(nonsense: str) -> None:
    unseen = Telemetry("enrolment", SETTINGS)
    with unseen.span("take", traceparent=nonsense):
        first = unseen.traceparent() or ""
    with unseen.span("take", traceparent=nonsense):
        second = unseen.traceparent() or ""
    unseen.close()
    assert first.split("-")[1] != second.split("-")[1]
    assert W3C.extract({"traceparent": first})
    assert len(first) == len(second) == 55


def test_an_exported_span_inside_a_block_without_one_stays_in_its_trace(
    telemetry: Telemetry, seen: InMemorySpanExporter
) -> None:
    unseen = Telemetry("grouping", SETTINGS)
    with telemetry.span("admit"), unseen.span("wait"), telemetry.span("note"):
        pass
    unseen.close()
    done = spans(telemetry, seen)
    assert done["note"].parent.span_id == done["admit"].context.span_id
    assert done["note"].context.trace_id == done["admit"].context.trace_id


def test_of_an_error_the_type_is_recorded_and_never_its_words(telemetry: Telemetry, seen: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="Ada"), telemetry.span("admit"):
        raise ValueError("Ada Lovelace")
    span = spans(telemetry, seen)["admit"]
    assert (span.status.status_code, span.attributes["error.type"]) == (trace.StatusCode.ERROR, "ValueError")
    assert "Ada" not in span.to_json()


def test_a_rule_that_says_no_is_an_answer_and_no_error(telemetry: Telemetry, seen: InMemorySpanExporter) -> None:
    with pytest.raises(Refused), telemetry.span("admit"):
        raise Refused("not-referred", "Worker w1 is admitted.")
    span = spans(telemetry, seen)["admit"]
    assert (span.status.status_code, span.attributes["ama.refused"]) == (trace.StatusCode.UNSET, "not-referred")


def test_no_provider_of_the_process_is_touched() -> None:
    before = trace.get_tracer_provider()
    Telemetry("enrolment", SETTINGS).close()
    assert trace.get_tracer_provider() is before


def test_two_services_of_one_name_in_one_process_do_not_collide() -> None:
    assert Metrics("enrolment").registry is not Metrics("enrolment").registry


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """The text that the process writes to standard error."""
    root, levels = (
        logging.getLogger(),
        {
            name: logging.getLogger(name).level
            for name in ("aiokafka", "faststream", "uvicorn.access", "httpx", "httpcore")
        },
    )
    handlers, level, to, faststream = root.handlers[:], root.level, io.StringIO(), logging.getLogger("faststream")
    theirs = faststream.handlers[:]
    monkeypatch.setattr("sys.stderr", to)
    log_as_json(logging.INFO)
    yield to
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    faststream.handlers[:], faststream.propagate = theirs, False
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_line_is_one_object_with_the_fields_that_are_known_and_no_other(written: io.StringIO) -> None:
    logging.getLogger("services.events.outbox.relay").warning(
        "sent again", extra={"service": "enrolment", "count": 3, "name_of_worker": "Ada"}
    )
    (line,) = lines(written)
    assert (line["event"], line["service"], line["count"], line["level"], line["logger"]) == (
        "sent again",
        "enrolment",
        3,
        "warning",
        "services.events.outbox.relay",
    )
    assert set(line) == {"event", "service", "count", "level", "logger", "timestamp"}


async def test_that_topics_are_not_made_by_a_library_is_no_line_at_each_start(written: io.StringIO) -> None:
    broker = Bus(SETTINGS).broker()
    broker._setup_logger()  # as its start does
    await broker.subscriber("ama.enrolment")._ensure_topics()
    THEIRS.error("this is one")
    assert "this is one" in written.getvalue()
    assert "Make sure the topics exist" not in written.getvalue()


def test_a_command_is_not_told_of_a_password_in_the_clear_at_every_connection(
    written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    logging.getLogger("aiokafka").setLevel(logging.WARNING)
    monkeypatch.setattr("sys.argv", ["ama", "formation", "--help"])
    with pytest.raises(SystemExit):
        main()
    logging.getLogger("aiokafka.conn").warning("Sending username and password in the clear")
    assert written.getvalue() == ""


def test_a_line_inside_a_span_names_its_trace(
    written: io.StringIO, telemetry: Telemetry, seen: InMemorySpanExporter
) -> None:
    with telemetry.span("admit"):
        logging.getLogger("services.events.outbox.relay").warning("here")
    assert lines(written)[0]["trace"] == f"{spans(telemetry, seen)['admit'].context.trace_id:032x}"


def test_of_an_exception_the_types_and_the_way_are_written_and_never_the_words(written: io.StringIO) -> None:
    def deep() -> None:
        raise KeyError("Ada")

    try:
        try:
            deep()
        except KeyError as error:
            raise ExceptionGroup("Ada and others", [ValueError("Ada"), TypeError("Lovelace")]) from error
    except ExceptionGroup as error:
        for name, sentence in (
            ("services.web", "request failed"),
            ("faststream", f"ValueError: {error}"),
            ("services.events.bus.client", f"ExceptionGroup: {error}"),
            ("asyncio", f"Task exception was never retrieved: {error!r}"),
        ):
            logging.getLogger(name).exception(sentence)
    ours, theirs, lent, loop = lines(written)
    assert [each["type"] for each in ours["exception"]] == [
        "builtins.ExceptionGroup",
        "builtins.ValueError",
        "builtins.TypeError",
        "builtins.KeyError",
    ]
    assert ours["exception"][3]["frames"][-1].endswith(" deep")
    assert ours["event"] == "request failed"
    assert [each["event"].rpartition(" ")[2] for each in (theirs, lent, loop)] == [
        "faststream",
        "services.events.bus.client",
        "asyncio",
    ]
    assert "Ada" not in written.getvalue()
    assert "Lovelace" not in written.getvalue()


def test_addresses_are_not_written_since_one_may_be_a_personal_link(written: io.StringIO) -> None:
    for name in ("uvicorn.access", "httpx"):
        logging.getLogger(name).info("GET /surveys/eyJhbGciOi")
    assert written.getvalue() == ""


def test_a_long_field_is_cut(written: io.StringIO) -> None:
    logging.getLogger("services.events.outbox.relay").warning("x", extra={"error": "y" * 10_000})
    assert len(lines(written)[0]["error"]) == 500


def test_what_a_library_says_again_and_again_is_written_once_and_what_is_ours_each_time(written: io.StringIO) -> None:
    for _ in range(100):
        logging.getLogger("aiokafka.consumer").error("Unable to update metadata from %s", [1])
        logging.getLogger("services.events.outbox.relay").error("relay begins again")
    logging.getLogger("aiokafka.consumer").error("Unable to update metadata from %s", [2])
    events = [json.loads(line)["event"] for line in written.getvalue().splitlines()]
    assert sorted(set(events)) == [
        "Unable to update metadata from [1]",
        "Unable to update metadata from [2]",
        "relay begins again",
    ]
    assert len(events) == 102
