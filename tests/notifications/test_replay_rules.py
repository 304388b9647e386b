"""Entries and messages as a restore makes them, by the rules alone."""

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from notifications.domain import Fact, Feed, Status
from notifications.feed_position import FeedPosition, TailLost
from notifications.ledger import day_of_midnight, midnight, record
from notifications.replay import _entry, lost_message
from services.contracts import Event
from services.contracts.feed import Referred
from services.contracts.notifications import MessageFailed
from services.kernel import new_id
from services.programmes import load_all

HALF_PAST_MIDNIGHT = datetime(2026, 7, 9, 22, 30, tzinfo=UTC)  # in Monza the 10th has begun


def test_a_lost_message_has_the_local_day_of_its_outcome() -> None:
    event = Event(
        id=new_id(),
        source="/programmes/monza-brianza/notifications",
        type=MessageFailed.type,
        subject="m",
        time=HALF_PAST_MIDNIGHT,
        recordedtime=HALF_PAST_MIDNIGHT,
        sequence=1,
        data=MessageFailed(worker="w", about="seat", reference="g", reason="refused"),
        correlationid="c",
    )
    message = lost_message(event, load_all()["monza-brianza"])
    assert message.day == date(2026, 7, 10)
    assert (message.id, message.worker, message.correlation, message.status) == ("m", "w", "c", Status.QUEUED)
    message.apply(event.data)
    assert (message.status, message.reason) == (Status.FAILED, "refused")


def test_an_entry_that_is_read_back_has_the_day_and_the_id_that_the_partner_read() -> None:
    entry = Feed(id="cgil").append(
        Fact(type=Referred.type, on=date(2026, 3, 12)), "w", "pseudonym", str(uuid4()), date(2026, 7, 10)
    )
    _, value = record(entry, "monza-brianza", consents=True)
    restored = _entry(FeedPosition("monza-brianza", "cgil"), value)
    assert restored.model_dump() == entry.model_dump() | {"worker": None, "restored": True}


def test_the_day_of_a_midnight_is_its_day_wherever_the_programme_is() -> None:
    assert day_of_midnight(midnight(date(2026, 7, 10))) == date(2026, 7, 10)


def test_a_topic_that_ends_before_its_position_has_lost_its_tail() -> None:
    position = FeedPosition("monza-brianza", "cgil")
    position.move_to(7)
    position.move_to(7)
    with pytest.raises(TailLost, match=r"ama\.feed\.cgil ends at 6, not 7"):
        position.move_to(6)
