"""Reading of the gate: it raises nothing, whatever a record holds, and what it cannot read is a refusal that counts."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.enrolment import ConsentChanged, Purpose, WorkerErased, WorkerReferred
from services.events.inbox.gate_reading import AHEAD, Gated, gated
from services.store.consents import Consents

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
CONSENT = {"purpose": "participation", "given": True, "notice": "1", "language": "it"}
DATA = {ConsentChanged.type: CONSENT, WorkerErased.type: {}, WorkerReferred.type: {"partner": "afol"}}
DEEP: Any = orjson.loads("[" * 200 + "]" * 200)
WRONG: tuple[Any, ...] = (
    None,
    7,
    2**63,
    True,
    "",
    "x" * 100_000,
    "a\0b",
    "../..",
    "\u0661",
    [],
    {},
    [{}],
    {"a": DEEP},
    "0001-01-01T00:00:00+23:00",
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(), each, max_size=3),
    max_leaves=8,
)


def body(type_: str = ConsentChanged.type, **attributes: Any) -> dict[str, Any]:
    """The attributes of an event, an hour ago unless others are given."""
    at, id = (NOW - timedelta(hours=1)).isoformat(), {"specversion": "1.0", "id": "e", "sequence": "5"}
    about = {"source": "/programmes/p/enrolment", "type": type_, "subject": "w", "time": at, "recordedtime": at}
    return {**id, **about, "data": DATA[type_], **attributes}


def read(now: datetime = NOW, type_: str = ConsentChanged.type, **attributes: Any) -> Gated:
    found = gated(orjson.dumps(body(type_, **attributes)), now)
    assert found is not None
    return found


def malformed() -> Iterator[bytes]:
    """Each event type with each of its attributes missing and of every wrong kind."""
    for type_ in DATA:
        whole = body(type_)
        yield orjson.dumps({name: whole[name] for name in ("type", "subject", "source", "time")})
        for name in whole:
            yield orjson.dumps({each: value for each, value in whole.items() if each != name})
            yield from (orjson.dumps({**whole, name: wrong}) for wrong in WRONG)
            for raw in (rb'"\ud800"', b"[" * 900 + b"]" * 900, b"9" * 5000):
                yield orjson.dumps({**whole, name: "?"}).replace(b'"?"', raw)


def test_whatever_is_missing_or_mistyped_nothing_is_raised_and_no_consent_is_read() -> None:
    values = [*malformed(), None, b"", b"[1]", b"\xff\xfe", b'{"type": 1e999}', b"[" * 100_000]
    for value in values:
        found = gated(value, NOW)
        decisions = found.decisions() if found else []
        assert found is None or found.person in {"w", ""}
        assert all(each.at <= NOW for each in decisions)


@given(st.dictionaries(st.sampled_from(sorted(body())), JSON))
def test_any_json_in_any_attribute_raises_nothing(attributes: dict[str, Any]) -> None:
    for type_ in DATA:
        gated(orjson.dumps({**body(type_), **attributes}, default=str), NOW)


@given(st.binary() | JSON.map(lambda each: orjson.dumps(each, default=str)))
def test_any_bytes_raise_nothing(value: bytes) -> None:
    assert gated(value, NOW) is None


@pytest.mark.parametrize("subject", ["a/b", "x" * 65, "a\0b", ".", "w\n"])
@pytest.mark.parametrize("type_", [ConsentChanged.type, WorkerErased.type])
def test_a_subject_that_is_no_id_names_nobody(type_: str, subject: str) -> None:
    found = read(type_=type_, subject=subject)
    assert (found.person, found.event, found.erases, bool(found.why)) == ("", None, False, True)


@pytest.mark.parametrize("said", ["true", 1, "yes", 1.0])
def test_what_is_not_a_true_is_no_consent(said: Any) -> None:
    found = read(data={**CONSENT, "given": said})
    assert {each.purpose: each.given for each in found.decisions()} == dict.fromkeys(Purpose, False)


@pytest.mark.parametrize("recorded", [None, "1.1.2026", "2026-03-01T03:00:00", "2190-01-01T00:00:00Z"])
def test_a_refusal_without_a_time_of_recording_counts_from_now(recorded: str | None) -> None:
    found = read(time="1990-01-01T00:00:00Z", recordedtime=recorded, data=None)
    assert {each.at for each in found.decisions()} == {NOW}


def test_a_refusal_that_cannot_be_read_counts_from_its_recording_and_not_from_an_older_time() -> None:
    found = read(time="1990-01-01T00:00:00Z", data=7)
    assert {each.at for each in found.decisions()} == {NOW - timedelta(hours=1)}


def answers(*found: Gated) -> bool | None:
    decisions = (each.document() for one in found for each in one.decisions())
    return Consents("p/w", "p", tuple(decisions)).allow(Purpose.PARTICIPATION)


@pytest.mark.parametrize("read_at", [NOW, NOW + timedelta(days=900)])
def test_a_consent_from_the_future_does_not_outrank_a_later_withdrawal(read_at: datetime) -> None:
    future = "2190-01-01T00:00:00Z"
    given_, withdrawal = (
        read(time=future, recordedtime=future),
        read(id="f", sequence="6", data={**CONSENT, "given": False}),
    )
    again = read(read_at, time=future, recordedtime=future)
    assert answers(given_, withdrawal) is answers(withdrawal, given_, again) is False


def test_a_clock_that_is_a_little_ahead_makes_no_refusal() -> None:
    ahead = (NOW + AHEAD / 2).isoformat()
    assert answers(read(time=ahead, recordedtime=ahead)) is True


@pytest.mark.parametrize("other", [{"id": "f"}, {"data": {**CONSENT, "given": False}}])
def test_two_events_at_one_sequence_are_both_refusals_until_the_next(other: dict[str, Any]) -> None:
    one, two = read(), read(**{"time": "2026-01-01T00:00:00Z", **other})
    assert answers(one, one) is True
    assert answers(one, two) is answers(two, one) is False
    assert answers(one, two, read(id="g", sequence="6")) is True
