"""Whatever a contact card holds, a mail has the headers that were set, once each, and the body that was composed."""

import random
import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import compat32, default

import pytest

from notifications.composing import Content, mail_of
from notifications.mail_format import Mail, Mailbox, Uncomposable, flatten, line
from notifications.smtp import Server, send
from tests.helpers.mail_server import taking

SENDER = Mailbox("AMA Lavoro", "ama@example.org")
HEADERS = [
    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Language", "MIME-Version", "Content-Type",
    "Content-Transfer-Encoding",
]  # fmt: skip
FOUND_BY_ATTACK = [
    "=?utf-8?b?////?=,",
    "=?utf-8?q?A=0D=0AReply-To:x@evil.example=0D=0AContent-Type:text/html=0D=0A=0D=0A<h1>Pay</h1>?=",
    '"=?utf-8?q?A=0D=0ABcc:x@evil.example?="',
    "Ada\r\nBcc: other@example.org",
    "Ada\u2028Bcc: other@example.org",
    "Ada\x85Bcc: other@example.org",
    "Ada\x00\x1b[31m",
    "\ud800Ada",
    "\u202eadA\u202c",
    "A" * 77,
    "A" * 78,
    "A" * 100_000,
    "è" * 500,
    "à" * 22 + " " + "b" * 90,
    'Ada "la" Prova, <x@evil.example>;',
    "back\\slash \\",
    "(comment) Ada :;@.",
    "👩\u200d👩\u200d👧 " * 20,
    "محمد علي",
    "",
    " ",
]
FRAGMENTS = [
    *FOUND_BY_ATTACK[:10], "=?", "?=", "=?utf-8?q?", "=?utf-8?b?", "=?iso-8859-1?q?=FF?=", "=0D=0A", "\r\n", "\n", "\r", "\t", " ", "  ",
    ",", ";", ":", "<", ">", "@", '"', "'", "\\", "(", ")", "[", "]", "=", "?", "_", ".", "..", "--", "%0D%0A", "\x7f", "\x0b", "\x0c",
    "\x1c", "\x1e", "\ufeff", "\u200b", "\u200f", "\u2066", "\udfff", "\ud83d", "é", "ß", "Ł", "ō", "e\u0301", "ж", "李", "👍🏽", "🇮🇹",
    "Ada", "D'Alì", "O\u2019Neill", "Jean-Luc", "von", "A" * 60, "B" * 77, "ñ" * 46, "\U0010ffff",
]  # fmt: skip


def content(given: str, family: str = "Prova", email: str = "ada@example.org") -> Content:
    card = {"given_name": given, "family_name": family, "email": email, "language": "it"}
    place = {"first": datetime(2026, 3, 5, 18, tzinfo=UTC), "title": "Casa", "address": "via Correggio 59, Monza"}
    plan = {"every": 14, "meetings": 18, "minutes": 120, "ask": None}
    return Content("019ce2f4", "seat", card, place | plan)


def read(mail: Mail) -> EmailMessage:
    return message_from_bytes(mail.data, _class=EmailMessage, policy=default)


def names(mail: Mail) -> list[str]:
    """The names of the headers, read without the package that other programs may lack."""
    head = mail.data.partition(b"\r\n\r\n")[0].decode("ascii")
    return [each.partition(":")[0] for each in head.split("\r\n") if not each.startswith((" ", "\t"))]


def assert_whole(mail: Mail, given: str, family: str = "Prova") -> None:
    """Exactly the headers that were set, once each, with the values that were meant; and the body as composed. Read by the older parser
    of the standard library, which has nothing in common with the one by which `flatten` reads."""
    assert names(mail) == HEADERS
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", mail.data)
    assert max(len(each) for each in mail.data.split(b"\r\n")) < 998
    found = message_from_bytes(mail.data, policy=compat32)
    assert found.keys() == HEADERS
    name = line(f"{given} {family}")
    assert _mailbox(found["To"]) == (f"{name} <ada@example.org>" if name else "<ada@example.org>")
    assert (found["From"], found["Message-ID"]) == ("AMA Lavoro <ama@example.org>", "<019ce2f4@example.org>")
    assert found["Subject"] == "Il tuo posto in un gruppo AMA Lavoro"
    assert found["Content-Type"] == 'text/plain; charset="utf-8"'
    payload = found.get_payload(decode=True)
    assert isinstance(payload, bytes)
    body = payload.decode().replace("\r\n", "\n")
    greeting = f"Ciao {line(given)},\n" if line(given) else "Ciao,\n"
    assert body.startswith(f"{greeting}\nc'è un posto per te")
    assert body.endswith("basta una parola.\n\nAMA Lavoro")


def _mailbox(header: str) -> str:
    """The name and the address in a header, without quotes or encoded words."""
    if header.startswith('"'):
        quoted, _, address = header.replace("\r\n ", " ").rpartition(" <")
        return re.sub(r"\\(.)", r"\1", quoted[1:-1]) + f" <{address}"
    return str(make_header(decode_header(header.replace("\r\n ", " "))))


@pytest.mark.parametrize("name", FOUND_BY_ATTACK, ids=range(len(FOUND_BY_ATTACK)))
def test_a_name_found_by_attack_changes_nothing_in_the_mail(name: str) -> None:
    assert_whole(mail_of(content(name), SENDER), name)
    assert_whole(mail_of(content("Ada", name), SENDER), "Ada", name)


@pytest.mark.parametrize("thousand", range(1, 11))
def test_ten_thousand_names_change_nothing_in_the_mail(thousand: int) -> None:
    any_ = random.Random(thousand)
    for _ in range(500):  # each mail has two
        given, family = ("".join(any_.choices(FRAGMENTS, k=any_.randint(0, 8))) for _ in range(2))
        assert_whole(mail_of(content(given, family), SENDER), given, family)


async def test_a_mail_server_takes_such_mails_and_a_reader_finds_them_whole() -> None:
    with taking() as taker:
        for each in FOUND_BY_ATTACK:
            await send(mail_of(content(each), SENDER), Server.of(taker.address))
    assert len(taker.taken) == len(FOUND_BY_ATTACK)
    for given, found in zip(FOUND_BY_ATTACK, taker.taken, strict=True):
        assert [each for each in found.keys() if not each.startswith("X-")] == HEADERS  # noqa: SIM118  # one that is there twice
        assert found["To"].addresses[0].addr_spec == "ada@example.org"
        assert found["Subject"] == "Il tuo posto in un gruppo AMA Lavoro"
        assert found["Date"] is not None
        assert line(given) in found.get_content()


@pytest.mark.parametrize(
    "name",
    [
        "Ada Prova",
        "D'Alì",
        "Jean-Luc O\u2019Neill",
        'Ada "la" Prova, detta Bice',
        "A" * 77 + " " + "B" * 78,
        "محمد علي",
    ],
)
def test_a_name_is_read_back_as_it_was_given(name: str) -> None:
    given, _, family = name.rpartition(" ")
    mail = read(mail_of(content(given, family), SENDER))
    assert mail["To"].addresses[0].display_name == name.strip()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ada", "Ada"),
        ("  Ada\r\n\tMaria ", "Ada Maria"),
        ("A\x00d\x1ba\ud800", "Ada"),
        ("\u202eadA\u202c\u2066x\u2069", "adAx"),
        ("a \x00 b", "a b"),
        ("👩\u200d👧 e\u0301", "👩\u200d👧 e\u0301"),
        ("x" * 300, "x" * 200),
    ],
)
def test_a_text_goes_on_one_line_without_what_nobody_sees(text: str, expected: str) -> None:
    assert line(text) == expected


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("niccolò.rossi@example.it", "address-not-ascii"),
        ("", "no-address"),
        ("=?utf-8?q?A=0D=0ABcc:x?=@example.org", "no-address"),
        ("ada@example.org\r\nBcc: other@example.org", "no-address"),
        ("ada@example.org>\r\nRCPT TO:<other@example.org", "no-address"),
        ("ada..prova@example.org", "no-address"),
        ("\ud800@example.org", "no-address"),
        ("ada@-example.org", "no-address"),
    ],
)
def test_an_address_that_cannot_be_written_to_is_given_up_with_its_reason(address: str, reason: str) -> None:
    with pytest.raises(Uncomposable) as given_up:
        mail_of(content("Ada", email=address), SENDER)
    assert given_up.value.reason == reason


def test_a_domain_outside_of_ascii_is_written_as_dns_knows_it() -> None:
    assert mail_of(content("Ada", email="ada@città.it"), SENDER).recipient == "ada@xn--citt-3na.it"


@pytest.mark.parametrize("value", ["a\r\nBcc: x@example.org", "\ud800"])
def test_a_header_that_is_not_read_back_as_meant_is_not_sent(value: str) -> None:
    with pytest.raises((Uncomposable, UnicodeError)):
        flatten({"To": Mailbox("Ada", "ada@example.org")}, {"Subject": value}, "body")


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("Ada", "ada@example.org>, <x@example.org"),
        ("Ada", "ada@example.org>\r\nBcc: <x@example.org"),
    ],
)
def test_a_mailbox_that_is_not_read_back_as_meant_is_not_sent(name: str, address: str) -> None:
    with pytest.raises(Uncomposable, match="not-composable"):
        flatten({"To": Mailbox(name, address)}, {"Subject": "s"}, "body")


@pytest.mark.parametrize("text", ["", "ama", "AMA <>", "AMA <ama@>", "AMA <à@example.org>"])
def test_a_sender_without_an_address_is_none(text: str) -> None:
    assert Mailbox.of_sender(text) is None


def test_neither_a_mail_nor_a_mailbox_shows_anything_of_the_person_in_a_log() -> None:
    mail = mail_of(content("Ada"), SENDER)
    assert repr(mail) == "Mail(019ce2f4)"
    assert "Ada" not in repr(Mailbox("Ada", "ada@example.org"))
