"""The person's choice of channels binds every message: none goes by a channel that they excluded."""

from itertools import combinations, product
from pathlib import Path

import pytest

from enrolment.facts import Way
from notifications.channels import Channels, MailChannel, SmsChannel, channel_for
from notifications.mail_format import Mailbox, Uncomposable
from notifications.messages_said import REASONS
from notifications.sms import Folder
from notifications.smtp import Server

SENDER = Mailbox.of_sender("AMA <ama@example.org>")
assert SENDER is not None
MAIL, SMS = MailChannel(Server.of("smtp://127.0.0.1:25"), SENDER), SmsChannel(Folder(Path("/nowhere")))
ADDRESSES = {"email": "ada@example.org", "phone": "+393331234567"}


def test_a_person_who_wants_no_mail_gets_a_text_message() -> None:
    assert channel_for({**ADDRESSES, "not_by": "mail call"}, [MAIL, SMS]) is SMS


def test_without_a_choice_mail_comes_first() -> None:
    assert channel_for(ADDRESSES, [MAIL, SMS]) is MAIL


@pytest.mark.parametrize("not_by", ["mail", "mail sms"])
def test_when_every_way_that_is_left_was_excluded_nothing_is_sent_and_whoever_looks_is_told_why(not_by: str) -> None:
    card = {"email": "ada@example.org", "not_by": not_by}
    with pytest.raises(Uncomposable) as fault:
        channel_for(card, [MAIL, SMS])
    assert fault.value.reason == "excluded"
    assert "excluded" in REASONS


def test_whatever_is_known_and_excluded_no_message_goes_by_an_excluded_channel() -> None:
    ways = [" ".join(each) for n in range(4) for each in combinations([way.value for way in Way], n)]
    known = [dict(each) for n in range(3) for each in combinations(ADDRESSES.items(), n)]
    sets: list[Channels] = [[MAIL, SMS], [MAIL], [SMS], []]
    for card, not_by, channels in product(known, ways, sets):
        try:
            chosen = channel_for({**card, "not_by": not_by}, channels)
        except Uncomposable:
            continue
        assert chosen.name not in not_by.split()
        assert card[chosen.card_field]


def test_the_ways_of_the_card_are_the_names_of_the_channels() -> None:
    assert {MAIL.name, SMS.name} == {Way.MAIL.value, Way.SMS.value}
