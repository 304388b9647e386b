"""Any client can read a record, and no record can break a reader."""

import json
from datetime import UTC, datetime
from typing import Any

import jsonschema_rs
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_structured_event
from cloudevents.core.formats.json import JSONFormat
from hypothesis import example, given
from hypothesis import strategies as st

from services.contracts import TOPICS, Event, EventData, Restricted, Unreadable, catalogue, decode, decode_from, encode
from services.contracts.envelope import CONTENT_TYPE, read, schema_uri
from services.contracts.frozen import Frozen, published
from services.contracts.schema import ENVELOPE
from services.contracts.topics import source_of
from tests.contracts.strategies import JSON, payloads

KINDS = list(published().values())
RECORD: dict[str, Any] = Frozen().example("it.amalavoro.enrolment.worker.referred.v1") or {}
REQUIRED = ("id", "source", "type", "subject", "time", "recordedtime", "sequence")
OPTIONAL = ("dataschema", "traceparent", "correlationid", "causationid")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001


def _bytes(body: object) -> bytes:
    return json.dumps(body).encode()


def blamed(spoilt: dict[str, Any]) -> str | None:
    """Return the field that is named as wrong when the example record has these attributes instead; None when it is read."""
    try:
        event = decode(_bytes(RECORD | spoilt))
        if event.type in catalogue():
            read(event)
    except Unreadable as error:
        return error.field
    return None


@given(st.binary() | JSON.map(_bytes) | st.none())
@example(b"")
@example(b"[" * 5000)
@example(b'{"id": "\xff"}')
def test_whatever_is_in_a_record_it_is_read_or_called_unreadable(value: bytes | None) -> None:
    with pytest.raises(Unreadable) as error:
        decode(value)
    assert error.value.field


@given(st.dictionaries(st.sampled_from(sorted(RECORD)), JSON, min_size=1))
@example({"sequence": "9" * 5000})
@example({"sequence": "9" * 19})
@example({"sequence": "٣"})
@example({"time": "0001-01-01T00:00:00+05:00"})
@example({"time": "9999-12-31T23:59:59-05:00"})
def test_a_record_with_some_attributes_spoilt_is_read_or_the_attribute_is_named(spoilt: dict[str, Any]) -> None:
    field = blamed(spoilt)
    assert field is None or field.split(".")[0] in spoilt


@given(
    st.sampled_from(KINDS),
    JSON | st.dictionaries(st.sampled_from(["worker", "partner", "since", "scores", "number"]), JSON),
)
def test_whatever_a_payload_is_it_is_read_or_the_field_is_named(kind: type[EventData], data: Any) -> None:
    field = blamed({"type": kind.type, "data": data})
    assert field is None or field.split(".")[0] == "data"


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("wrong", [None, "", 7, {}, ["x"]], ids=str)
def test_a_required_attribute_that_is_missing_or_no_text_is_named(name: str, wrong: Any) -> None:
    with pytest.raises(Unreadable) as error:
        decode(_bytes(RECORD | {name: wrong}))
    assert error.value.field == name
    with pytest.raises(Unreadable, match=f"^{name}: "):
        decode(_bytes({key: value for key, value in RECORD.items() if key != name}))


@pytest.mark.parametrize("name", OPTIONAL)
def test_an_optional_attribute_may_be_absent_or_null_but_not_wrong(name: str) -> None:
    absent = {key: value for key, value in RECORD.items() if key != name}
    assert getattr(decode(_bytes(absent)), name) is None
    assert getattr(decode(_bytes(absent | {name: None})), name) is None, "CloudEvents: null is as good as absent"
    wrong: Any
    for wrong in (7, "", {}):
        with pytest.raises(Unreadable, match=f"^{name}: "):
            decode(_bytes(RECORD | {name: wrong}))


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("specversion", "0.3"),
        ("specversion", None),
        ("source", "/elsewhere/enrolment"),
        ("source", "/programmes/monza-brianza"),
        ("source", "/programmes//enrolment"),
        ("time", "yesterday"),
        ("time", "2026-03-12T17:30:00"),
        ("recordedtime", "2026-03-12"),
        ("recordedtime", "2026-13-12T17:30:00Z"),
        ("sequence", "0"),
        ("sequence", "-1"),
        ("sequence", "1.0"),
        ("sequence", "1 "),
        ("sequence", "²"),
    ],
)
def test_an_attribute_with_a_wrong_value_is_named(name: str, wrong: Any) -> None:
    with pytest.raises(Unreadable) as error:
        decode(_bytes(RECORD | {name: wrong}))
    assert error.value.field == name


def test_an_event_never_changes() -> None:
    event = decode(_bytes(RECORD))
    with pytest.raises(AttributeError):
        event.data = {}  # type: ignore[misc]
    other = event.carrying({"partner": "afol"})
    assert (event.data, other.data, other._replace(data=event.data)) == (RECORD["data"], {"partner": "afol"}, event)


def test_a_payload_error_names_the_field_inside_the_payload() -> None:
    with pytest.raises(Unreadable, match=r"^data\.partner: Field required"):
        read(decode(_bytes(RECORD | {"data": {}})))
    scored = {"worker": "w", "instrument": "who-5", "wave": "T0", "scores": {"total": "high"}}
    assert blamed({"type": "it.amalavoro.sessions.survey.scored.v1", "data": scored}) == "data.scores.total"


def test_a_type_of_tomorrow_is_a_key_error_and_not_an_unreadable_record() -> None:
    with pytest.raises(KeyError):
        read(decode(_bytes(RECORD | {"type": "it.amalavoro.enrolment.worker.promoted.v1"})))


@pytest.mark.parametrize("name", ["id", "subject"])
@pytest.mark.parametrize("text", ["..", "a/../../state", "a\0", "a\nb", "x" * 65, "x" * 500_000, "à", "/"])
def test_an_id_that_no_path_could_hold_is_unreadable(name: str, text: str) -> None:
    assert blamed({name: text}) == name


@pytest.mark.parametrize("name", [*REQUIRED, *OPTIONAL])
def test_no_attribute_is_longer_than_a_line(name: str) -> None:
    assert blamed({name: "/programmes/" + "x" * 500_000}) == name


@pytest.mark.parametrize(
    "source", ["/programmes/P/enrolment", "/programmes/../enrolment", "/programmes/p/", "/programmes/p//x"]
)
def test_a_source_names_a_programme_by_its_id(source: str) -> None:
    assert blamed({"source": source}) == "source"


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_an_event_is_read_from_its_own_topic_alone(topic: str) -> None:
    assert (RECORD["source"], catalogue()[RECORD["type"]].topic) == (
        source_of("monza-brianza", "ama.enrolment"),
        "ama.enrolment",
    )
    if topic == "ama.enrolment":
        assert decode_from(topic, _bytes(RECORD)) == decode(_bytes(RECORD))
        return
    for forged in (RECORD, RECORD | {"source": source_of("monza-brianza", topic)}):
        with pytest.raises(Unreadable, match="belongs on another topic"):
            decode_from(topic, _bytes(forged))


def test_a_feed_is_read_from_the_topic_of_its_partner_alone() -> None:
    entry = _bytes(Frozen().example("it.amalavoro.feed.worker.seated.v1"))
    assert decode_from("ama.feed.cgil", entry).source == source_of("monza-brianza", "ama.feed.cgil")
    with pytest.raises(Unreadable, match="belongs on another topic"):
        decode_from("ama.feed.uil", entry)


def test_attributes_and_fields_of_tomorrow_are_ignored() -> None:
    grown = RECORD | {"newattribute": "x", "data": RECORD["data"] | {"field_of_tomorrow": 1}}
    assert read(decode(_bytes(grown))) == read(decode(_bytes(RECORD)))


@st.composite
def events(draw: st.DrawFn) -> Event[Any]:
    """Any event that a service can publish."""
    kind = draw(st.sampled_from(KINDS))
    return Event(
        id=draw(IDS),
        source=source_of(draw(st.from_regex(r"[a-z0-9][a-z0-9-]{0,39}", fullmatch=True)), kind.topic),
        type=kind.type,
        subject=draw(IDS),
        time=draw(MOMENTS),
        recordedtime=draw(MOMENTS),
        sequence=draw(st.integers(1, 10**18 - 1)),
        data=draw(payloads(kind)),
        dataschema=schema_uri(kind),
        traceparent=draw(st.none() | TEXT),
        correlationid=draw(st.none() | TEXT),
        causationid=draw(st.none() | TEXT),
    )


@given(events())
def test_what_is_encoded_decodes_to_the_same_event_and_fits_the_published_envelope(event: Event[Any]) -> None:
    value = encode(event)
    assert read(decode(value)) == event
    assert decode(value).programme == event.source.split("/")[2]
    jsonschema_rs.validator_for(ENVELOPE, validate_formats=True).validate(json.loads(value))


@given(events(), st.from_regex(r"[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+", fullmatch=True))
def test_a_sealed_payload_travels_as_the_text_it_is(event: Event[Any], token: str) -> None:
    value = encode(event.carrying(token))
    assert decode(value).data == token
    assert json.loads(value)["datacontenttype"] == "application/jose"
    with pytest.raises(Unreadable, match=r"^data: "):
        read(decode(value))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.type)
def test_the_official_sdk_reads_every_example_as_we_do(kind: type[EventData]) -> None:
    value = _bytes(Frozen().example(kind.type))
    ours = decode(value)
    message = KafkaMessage(headers={"content-type": CONTENT_TYPE}, key=ours.subject.encode(), value=value)
    theirs = from_structured_event(message, JSONFormat())
    assert theirs.get_type() == ours.type == kind.type
    assert (theirs.get_id(), theirs.get_source(), theirs.get_subject()) == (ours.id, ours.source, ours.subject)
    assert theirs.get_time() == ours.time
    assert theirs.get_dataschema() == ours.dataschema == schema_uri(kind)
    assert theirs.get_extension("sequence") == str(ours.sequence)
    assert theirs.get_extension("sequencetype") == "Integer"
    assert theirs.get_extension("traceparent") == ours.traceparent
    assert theirs.get_data() == ours.data
    assert theirs.get_datacontenttype() == ("application/jose" if issubclass(kind, Restricted) else "application/json")


@given(events())
def test_the_official_sdk_writes_what_we_read(event: Event[Any]) -> None:
    theirs = JSONFormat().read(None, encode(event))
    assert read(decode(JSONFormat().write(theirs))) == event


def test_the_reason_for_a_wrong_attribute_does_not_quote_it() -> None:
    for name in REQUIRED:
        with pytest.raises(Unreadable) as caught:
            decode(
                _bytes({**RECORD, name: "Mario Rossi" if name in {"source", "time", "recordedtime", "sequence"} else 7})
            )
        assert "Mario" not in str(caught.value)
