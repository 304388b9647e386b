"""A mail is composed in the person's language and taken by a real mail server."""

from datetime import datetime, timedelta, timezone
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest

from notifications.composing import Content, mail_of
from notifications.failures import PermanentFailure, TransientFailure
from notifications.mail_format import Mail, Mailbox, Uncomposable
from notifications.mailer import mailing
from notifications.smtp import Server, send
from services.settings import Misconfigured, Settings
from tests.helpers.mail_server import taking

SENDER = Mailbox("AMA Lavoro", "ama@example.org")
CARD = {"given_name": "Ada", "family_name": "Prova", "email": "ada@example.org", "language": "it"}


PLAN: dict[str, Any] = {"every": 14, "meetings": 18, "minutes": 120, "ask": "AFOL Monza e Brianza, +39 039 0000000"}


def content(plan: dict[str, Any] = PLAN, **card: str) -> Content:
    first = datetime(2026, 3, 5, 18, tzinfo=timezone(timedelta(hours=1)))
    place = {"first": first, "title": "Casa del Volontariato", "address": "via Correggio 59, Monza"}
    return Content("019ce2f4", "seat", CARD | card, place | plan)


def read(mail: Mail) -> EmailMessage:
    return message_from_bytes(mail.data, _class=EmailMessage, policy=default)


def text(mail: Mail) -> str:
    return str(read(mail).get_content())


def test_an_italian_mail_names_first_meeting_and_place_in_words() -> None:
    body = text(mail_of(content(), SENDER))
    for part in (
        "Ciao Ada",
        "Primo incontro: giovedì 5 marzo 2026, alle ore 18:00",
        "Dove: Casa del Volontariato, via Correggio 59, Monza",
        "Il gruppo si incontra ogni 2 settimane, 18 volte in tutto. Ogni incontro dura 2 ore.",
        "Per ogni domanda: AFOL Monza e Brianza, +39 039 0000000",
    ):
        assert part in body


def test_an_english_mail_names_first_meeting_and_place_in_words() -> None:
    mail = mail_of(content(language="en"), SENDER)
    for part in (
        "Dear Ada",
        "First meeting: Thursday, 5 March 2026, at 18:00",
        "Where: Casa del Volontariato, via Correggio 59, Monza",
        "The group meets every 2 weeks, 18 times in all. Each meeting takes 2 hours.",
        "For any question: AFOL Monza e Brianza, +39 039 0000000",
    ):
        assert part in text(mail)
    assert read(mail)["Content-Language"] == "en"


@pytest.mark.parametrize(
    ("plan", "italian", "english"),
    [
        ({"every": 7, "meetings": 5, "minutes": 240}, "ogni settimana, 5 volte in tutto", "every week, 5 times in all"),
        (
            {"every": 10, "meetings": 2, "minutes": 90},
            "ogni 10 giorni, 2 volte in tutto",
            "every 10 days, 2 times in all",
        ),
        ({"every": 1, "meetings": 3, "minutes": 60}, "ogni giorno, 3 volte in tutto", "every day, 3 times in all"),
        ({"every": 7, "meetings": 1, "minutes": 60}, "una volta, per un'ora.", "meets once, for one hour."),
        ({"every": 7, "meetings": 1, "minutes": 45}, "una volta, per 45 minuti.", "meets once, for 45 minutes."),
    ],
)
def test_how_often_and_how_long_are_said_in_words(plan: dict[str, Any], italian: str, english: str) -> None:
    told = {**plan, "ask": None}
    assert italian in text(mail_of(content(told), SENDER))
    assert english in text(mail_of(content(told, language="en"), SENDER))
    assert "domanda" not in text(mail_of(content(told), SENDER))


def test_whoever_reads_another_language_is_written_to_in_italian() -> None:
    assert "Ciao Ada" in text(mail_of(content(language="ro"), SENDER))


def test_the_message_id_is_the_message_so_that_a_repeat_can_be_dropped() -> None:
    first, again = read(mail_of(content(), SENDER)), read(mail_of(content(), SENDER))
    assert first["Message-ID"] == again["Message-ID"] == "<019ce2f4@example.org>"


def test_a_name_cannot_write_another_header() -> None:
    mail = read(mail_of(content(given_name="Ada\r\nBcc: other@example.org"), SENDER))
    assert mail["Bcc"] is None
    assert len(mail["To"].addresses) == 1


@pytest.mark.parametrize(
    "address", ["", "ada", "ada@", "@", "a b@c", "ada@example.org, other@example.org", "ada@example.org\r\nX: y"]
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(Uncomposable, match="no-address"):
        mail_of(content(email=address), SENDER)


def test_the_content_of_a_mail_shows_nothing_of_the_person_in_a_log() -> None:
    assert repr(content()) == "Content(019ce2f4)"


async def test_a_mail_server_takes_the_content() -> None:
    with taking() as taker:
        await send(mail_of(content(), SENDER), Server.of(taker.address))
    (mail,) = taker.taken
    assert mail["To"] == "Ada Prova <ada@example.org>"
    assert mail["Message-ID"] == "<019ce2f4@example.org>"
    assert "giovedì 5 marzo 2026" in mail.get_content()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("550 no such user ada@example.org", PermanentFailure), ("451 greylisted ada@example.org", TransientFailure)],
)
async def test_a_permanent_failure_differs_from_a_transient_one_and_neither_names_the_address(
    answer: str, expected: type[Exception]
) -> None:
    with taking(answer) as taker, pytest.raises(expected) as refusal:
        await send(mail_of(content(), SENDER), Server.of(taker.address))
    assert "ada" not in str(refusal.value)
    assert refusal.value.__cause__ is None


async def test_a_mail_server_that_is_away_may_take_it_another_time() -> None:
    with taking() as taker:
        address = taker.address
    with pytest.raises(TransientFailure):
        await send(mail_of(content(), SENDER), Server.of(address))


def test_the_mail_server_is_read_from_its_address() -> None:
    assert Server.of("smtps://ama:p%40ss@mail.example.org") == Server("mail.example.org", 465, True, "ama", "p@ss")
    assert Server.of("smtp://localhost:2525") == Server("localhost", 2525, False)
    assert "p@ss" not in repr(Server.of("smtps://ama:p%40ss@mail.example.org"))


@pytest.mark.parametrize("address", ["mail.example.org", "http://mail.example.org", "smtp://", "smtp://host:port"])
def test_an_address_that_is_no_mail_servers_stops_the_start(address: str) -> None:
    with pytest.raises(Misconfigured, match="AMA_SMTP"):
        Server.of(address)


def test_a_sender_that_has_no_address_stops_the_start() -> None:
    with pytest.raises(Misconfigured, match="AMA_MAIL_FROM"):
        mailing(Settings(kafka="kafka:9092", mongo="mongodb://mongo", mail_from="AMA Lavoro"))


async def test_a_name_of_a_server_that_dns_cannot_hold_is_a_failure_of_the_attempt() -> None:
    with pytest.raises(TransientFailure, match="UnicodeError"):
        await send(mail_of(content(), SENDER), Server("m" * 64 + ".example.org", 25, False))
