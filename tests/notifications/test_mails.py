"""A mail is composed in the person's language and taken by a real mail server."""

from datetime import date, time
from email.message import EmailMessage

import pytest

from notifications.composing import MailContent, Unaddressable, compose
from notifications.smtp import PermanentFailure, Server, TransientFailure, send
from services.settings import Misconfigured
from tests.helpers.mail_server import taking

SENDER = "AMA Lavoro <ama@example.org>"
CARD = {"given_name": "Ada", "family_name": "Prova", "email": "ada@example.org", "language": "it"}


def content(**card: str) -> MailContent:
    return MailContent(
        "019ce2f4", CARD | card, 4, time(18), "Casa del Volontariato", "via Correggio 59, Monza", date(2026, 3, 5)
    )


def text(mail: EmailMessage) -> str:
    return str(mail.get_content())


def test_an_italian_mail_names_slot_place_and_first_date_in_words() -> None:
    body = text(compose(content(), SENDER))
    for part in (
        "Ciao Ada",
        "il giovedì alle ore 18:00",
        "Casa del Volontariato, via Correggio 59, Monza",
        "giovedì 5 marzo 2026",
    ):
        assert part in body


def test_an_english_mail_names_slot_place_and_first_date_in_words() -> None:
    mail = compose(content(language="en"), SENDER)
    for part in (
        "Dear Ada",
        "Thursdays at 18:00",
        "Casa del Volontariato, via Correggio 59, Monza",
        "Thursday, 5 March 2026",
    ):
        assert part in text(mail)
    assert mail["Content-Language"] == "en"


def test_whoever_reads_another_language_is_written_to_in_italian() -> None:
    assert "Ciao Ada" in text(compose(content(language="ro"), SENDER))


def test_the_message_id_is_the_message_so_that_a_repeat_can_be_dropped() -> None:
    first, again = compose(content(), SENDER), compose(content(), SENDER)
    assert first["Message-ID"] == again["Message-ID"] == "<019ce2f4@example.org>"


def test_a_name_cannot_write_another_header() -> None:
    mail = compose(content(given_name="Ada\r\nBcc: other@example.org"), SENDER)
    assert mail["Bcc"] is None
    assert len(mail["To"].addresses) == 1


@pytest.mark.parametrize(
    "address", ["", "ada", "ada@", "@", "a b@c", "ada@example.org, other@example.org", "ada@example.org\r\nX: y"]
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(Unaddressable):
        compose(content(email=address), SENDER)


def test_the_content_of_a_mail_shows_nothing_of_the_person_in_a_log() -> None:
    assert repr(content()) == "MailContent(019ce2f4)"


async def test_a_mail_server_takes_the_content() -> None:
    with taking() as taker:
        await send(compose(content(), SENDER), Server.of(taker.address))
    (mail,) = taker.taken
    assert mail["To"] == "Ada Prova <ada@example.org>"
    assert mail["Message-ID"] == "<019ce2f4@example.org>"
    assert "giovedì 5 marzo 2026" in text(mail)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("550 no such user ada@example.org", PermanentFailure), ("451 greylisted ada@example.org", TransientFailure)],
)
async def test_a_permanent_failure_differs_from_a_transient_one_and_neither_names_the_address(
    answer: str, expected: type[Exception]
) -> None:
    with taking(answer) as taker, pytest.raises(expected) as refusal:
        await send(compose(content(), SENDER), Server.of(taker.address))
    assert "ada" not in str(refusal.value)
    assert refusal.value.__cause__ is None


async def test_a_mail_server_that_is_away_may_take_it_another_time() -> None:
    with taking() as taker:
        address = taker.address
    with pytest.raises(TransientFailure):
        await send(compose(content(), SENDER), Server.of(address))


def test_the_mail_server_is_read_from_its_address() -> None:
    assert Server.of("smtps://ama:p%40ss@mail.example.org") == Server("mail.example.org", 465, True, "ama", "p@ss")
    assert Server.of("smtp://localhost:2525") == Server("localhost", 2525, False)
    assert "p@ss" not in repr(Server.of("smtps://ama:p%40ss@mail.example.org"))


@pytest.mark.parametrize("address", ["mail.example.org", "http://mail.example.org", "smtp://", "smtp://host:port"])
def test_an_address_that_is_no_mail_servers_stops_the_start(address: str) -> None:
    with pytest.raises(Misconfigured, match="AMA_SMTP"):
        Server.of(address)
