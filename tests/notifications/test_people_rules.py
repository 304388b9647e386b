"""Messages to people, by the rules alone."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from notifications.domain import GroupCalendar, Message, PlannedMeeting, Recipient, Status, SurveyLink, Venue
from services.contracts import catalogue
from services.contracts.notifications import MessageFailed, MessageSent
from services.kernel import RecordedEvent, Refused

FIRST = date(2026, 3, 5)


def message() -> Message:
    return Message(id="m", worker="w", about="seat", reference="g", day=FIRST, correlation="c")


def recorded(of: Message) -> list[RecordedEvent]:
    events: list[RecordedEvent] = []
    of.record_into(events)
    return events


def test_a_seat_is_announced_once() -> None:
    recipient = Recipient(id="w")
    recipient.take_seat("g", FIRST)
    (seat,) = recipient.unannounced()
    recipient.announced(seat, "m")
    assert recipient.unannounced() == []
    assert recipient.messages == ("m",)


def test_a_seat_that_was_given_up_is_not_announced() -> None:
    recipient = Recipient(id="w")
    recipient.take_seat("g", FIRST)
    recipient.take_seat("h", FIRST)
    assert [each.group for each in recipient.leave({"g"})] == ["g"]
    assert [each.group for each in recipient.unannounced()] == ["h"]


def planned(number: int, week: int) -> PlannedMeeting:
    starts = datetime(2026, 3, 5, 18, 30, tzinfo=ZoneInfo("Europe/Rome")) + timedelta(weeks=week)
    return PlannedMeeting.model_validate_json(PlannedMeeting(number=number, starts=starts, place="p").model_dump_json())


def calendar(*meetings: PlannedMeeting) -> GroupCalendar:
    made = GroupCalendar(id="g")
    for each in meetings:
        made.schedule(each)
    return GroupCalendar.model_validate_json(made.model_dump_json())


@pytest.mark.parametrize(("weeks", "expected"), [(-3, 1), (0, 1), (1, 2), (2, 2), (3, 3), (4, 3)])
def test_a_late_joiner_is_called_to_the_next_meeting_that_is_scheduled(weeks: int, expected: int) -> None:
    group = calendar(planned(1, 0), planned(2, 2), planned(3, 4))
    first = group.first_from(FIRST + timedelta(weeks=weeks))
    assert first is not None
    assert first.number == expected


def test_a_seat_after_the_last_meeting_has_no_meeting() -> None:
    assert calendar(planned(1, 0), planned(2, 2)).first_from(FIRST + timedelta(weeks=2, days=1)) is None


def test_a_meeting_that_arrives_before_an_earlier_one_is_not_taken_for_the_first() -> None:
    group = calendar(planned(2, 2), planned(3, 4))
    assert group.first_from(FIRST) is None
    group.schedule(planned(1, 0))
    assert group.first_from(FIRST) == planned(1, 0)


def test_a_meeting_belongs_to_its_local_day() -> None:
    late = PlannedMeeting(number=1, starts=datetime(2026, 3, 6, 0, 30, tzinfo=ZoneInfo("Europe/Rome")), place="p")
    assert calendar(late).first_from(date(2026, 3, 6)) is not None


def test_a_meeting_that_is_scheduled_again_replaces_the_earlier_date() -> None:
    group = calendar(planned(1, 0), planned(2, 2), planned(1, 1))
    assert group.first_from(FIRST) == planned(1, 1)


def test_whoever_waits_for_a_meeting_is_called_once() -> None:
    group = GroupCalendar(id="g")
    for worker in ("w", "v", "w", "u"):
        group.wait(worker)
    group.forget("u")
    assert group.schedule(planned(1, 0)) == ("v", "w")
    assert group.schedule(planned(2, 2)) == ()


def test_a_message_that_went_out_is_published_as_sent() -> None:
    one = message()
    one.sent(1)
    assert [each.data for each in recorded(one)] == [MessageSent(worker="w", about="seat", reference="g")]


def test_a_message_that_went_out_while_it_was_dropped_is_sent() -> None:
    one = message()
    assert one.drop()
    one.sent(1)
    assert one.status is Status.SENT


def test_a_message_that_was_sent_cannot_be_dropped() -> None:
    one = message()
    one.sent(1)
    assert not one.drop()
    assert one.status is Status.SENT


def test_a_message_that_is_given_up_is_published_with_its_reason() -> None:
    one = message()
    one.fail("refused", 2)
    assert [each.data for each in recorded(one)] == [
        MessageFailed(worker="w", about="seat", reference="g", reason="refused")
    ]


def test_a_message_has_one_outcome() -> None:
    one = message()
    one.sent(1)
    with pytest.raises(Refused, match="not queued"):
        one.sent(2)
    with pytest.raises(Refused, match="not queued"):
        one.fail("refused", 2)


@pytest.mark.parametrize(
    ("event", "status", "reason"),
    [
        (MessageSent(worker="w", about="seat", reference="g"), Status.SENT, None),
        (MessageFailed(worker="w", about="seat", reference="g", reason="refused"), Status.FAILED, "refused"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_the_outcome_of_a_message_has_the_same_effect_on_replay_as_live(
    event: MessageSent | MessageFailed, status: Status, reason: str | None
) -> None:
    replayed = message()
    replayed.apply(event)
    assert (replayed.status, replayed.reason) == (status, reason)
    assert recorded(replayed) == []


@pytest.mark.parametrize("fails", [False, True])
def test_a_replayed_message_has_the_state_of_the_live_one_but_for_its_attempts(fails: bool) -> None:
    live, replayed = message(), message()
    if fails:
        live.fail("refused", 2)
    else:
        live.sent(2)
    for each in recorded(live):
        replayed.apply(each.data, each.at)
    assert replayed.model_dump() == live.model_dump() | {"tries": 0}


def test_each_own_event_type_of_notifications_is_applied() -> None:
    own = {kind for type, kind in catalogue().items() if type.startswith("it.amalavoro.notifications.")}
    assert own == Message.appliers.keys()


def test_a_place_that_is_published_again_is_corrected() -> None:
    venue = Venue(id="p", title="Casa", address="via Roma 1")
    venue.correct("Casa", "via Roma 2")
    assert venue.address == "via Roma 2"


def test_after_the_conclusion_of_a_group_nobody_is_called_to_its_later_meetings() -> None:
    group = calendar(planned(1, 0), planned(2, 2), planned(3, 4))
    group.wait("w")
    group.conclude(FIRST + timedelta(weeks=3))
    assert group.waiting == ()
    found = group.first_from(FIRST + timedelta(weeks=1))
    assert found is not None
    assert found.number == 2
    assert group.first_from(FIRST + timedelta(weeks=3)) is None
    assert group.schedule(planned(4, 6)) == ()
    assert group.first_from(FIRST + timedelta(weeks=3)) is None


def survey_message() -> Message:
    return Message.about_survey("m", "w", "s", FIRST, "sealed", "c")


def test_a_message_about_a_survey_is_held_until_it_is_released_and_forgets_its_token_when_it_is_settled() -> None:
    ends: dict[str, Callable[[Message], object]] = {
        "sent": lambda one: one.sent(1, "mail"),
        "failed": lambda one: one.fail("refused", 1, "sms"),
        "dropped": lambda one: one.drop(),
    }
    for status, end in ends.items():
        one = survey_message()
        assert (one.status, one.sealed) == (Status.HELD, "sealed")
        one.release()
        one.hold()
        one.release()
        assert (one.status, one.sealed) == (Status.QUEUED, "sealed")
        end(one)
        assert (one.status, one.sealed) == (status, None)
        one.release()
        one.hold()
        assert one.status == status


def test_a_message_that_was_held_while_it_was_on_its_way_counts_as_sent() -> None:
    one = survey_message()
    one.release()
    one.hold()
    one.sent(1, "mail")
    assert one.status is Status.SENT
    with pytest.raises(Refused, match="is sent, not queued"):
        one.fail("refused", 1)


def test_a_newer_link_to_a_survey_replaces_the_earlier_one_and_an_answer_ends_it() -> None:
    one = Recipient(id="w")
    first, second = SurveyLink(survey="s", message="m1"), SurveyLink(survey="s", message="m2")
    assert (one.take_link(first), one.take_link(second)) == (None, first)
    other = SurveyLink(survey="t", message="m3")
    one.take_link(other)
    assert one.answer("s") == [second]
    assert (one.links, one.is_asked("s"), one.is_asked("t")) == ((other,), False, True)
    assert one.withdraw() == [other]
    assert (one.links, one.is_asked("t")) == ((), False)
    assert one.messages == ("m1", "m2", "m3"), "an erasure finds them all"
