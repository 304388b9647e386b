"""After a restore, a room's own events change its aggregates again: each event type of a room is in its replay table, or exempt by name."""

import importlib
import importlib.util
from collections.abc import Iterable, Mapping

import pytest

from services.contracts import EventData, catalogue
from services.contracts.enrolment import WorkerErased
from services.contracts.feed import (
    Admitted,
    ConsentWithdrawn,
    Declined,
    Erased,
    Referred,
    Seated,
    Withdrew,
    Withheld,
)
from services.contracts.grouping import (
    PairWished,
    WorkerUnlisted,
    WorkerWaitlisted,
)
from services.contracts.paths import ComplaintAnswered, ComplaintEscalated, ComplaintReceived, ComplaintReplied
from services.contracts.sessions import (
    AttendanceRecorded,
    SessionHeld,
    SurveyInvited,
    SurveyScored,
    SurveySubmitted,
)
from services.contracts.topics import SERVICES, topic_of
from services.events.delivery.declare import Reactions

CONSUMED_AGAIN = "comes of an event of another room, which the restored room consumes again"
FEED = "the ledger is read back from the partner's topic as a whole, whatever its types (restore_feeds)"
LOST = "the room has no replay yet; the restore's report lists what its commands lost"

EXEMPT: dict[type[EventData], str] = {
    WorkerErased: "the room's own reaction to it empties the record",
    WorkerWaitlisted: CONSUMED_AGAIN,
    WorkerUnlisted: CONSUMED_AGAIN,
    PairWished: "the room's own reaction to it keeps the wish again, once the keys of both persons are back",
    **dict.fromkeys((Referred, Admitted, Declined, Seated, Withdrew, ConsentWithdrawn, Erased, Withheld), FEED),
    **dict.fromkeys((ComplaintReceived, ComplaintEscalated, ComplaintAnswered, ComplaintReplied), LOST),
    SessionHeld: LOST,
    AttendanceRecorded: LOST,
    SurveyInvited: "the restored survey is still planned, so the background task invites again",
    SurveySubmitted: LOST,
    SurveyScored: LOST,
}


def written_by(room: str, types: Iterable[type[EventData]]) -> list[type[EventData]]:
    """Event types whose topic this room writes."""
    return [each for each in types if (topic := topic_of(each.topic)) is not None and topic.writer == room]


def replayed_by(room: str) -> set[str]:
    """Names of the event types in the tables of the room's replay module: a `Reactions`, or a collection of event types."""
    if importlib.util.find_spec(f"{room}.replay") is None:
        return set()
    found: set[str] = set()
    for value in vars(importlib.import_module(f"{room}.replay")).values():
        if isinstance(value, Reactions):
            found |= value.handlers.keys()
        elif isinstance(value, Mapping | set | frozenset):
            found |= {each for each in value if isinstance(each, str) and each in catalogue()}
    return found


def forgotten(room: str, types: Iterable[type[EventData]]) -> list[str]:
    """Event types of the room that nothing replays and no reason exempts."""
    replayed = replayed_by(room)
    return [each.__name__ for each in written_by(room, types) if each.type not in replayed and each not in EXEMPT]


@pytest.mark.parametrize("room", SERVICES)
def test_every_event_type_of_a_room_is_replayed_or_exempt_by_name(room: str) -> None:
    assert forgotten(room, catalogue().values()) == []


@pytest.mark.parametrize("room", SERVICES)
def test_a_new_event_type_that_nothing_replays_is_found(room: str) -> None:
    topic = f"ama.{room}"
    planted: type[EventData] = type("Planted", (EventData,), {"topic": topic})  # without a type it is in no catalogue
    planted.type = f"it.amalavoro.{room}.planted.v1"
    assert forgotten(room, [*catalogue().values(), planted]) == ["Planted"]


def test_no_event_type_is_both_replayed_and_exempt() -> None:
    replayed = set().union(*(replayed_by(room) for room in SERVICES))
    assert [each.__name__ for each in EXEMPT if each.type in replayed] == []


def test_the_rooms_that_have_a_replay_module_replay_something() -> None:
    assert [room for room in SERVICES if replayed_by(room)] == ["enrolment", "grouping", "sessions", "notifications"]
