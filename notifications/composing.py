"""A message as it is read: text in the person's own language, from what is known at the moment of sending.

Invariant: what is composed is kept nowhere and shown in no log; a letter's `repr` is its id.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr

from jinja2 import Environment, PackageLoader, StrictUndefined

LANGUAGES = ("it", "en")  # one template each; whoever reads another language is written to in the first
templates = Environment(  # noqa: S701  # plain text: nothing to escape
    loader=PackageLoader("notifications"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


class Unaddressable(Exception):
    """The address is none that a mail can be sent to."""


@dataclass(frozen=True, slots=True, repr=False)
class Letter:
    """What the message about a seat says. `weekday` is ISO (Monday is 1), `time` the local time of day."""

    id: str
    card: Mapping[str, str]
    weekday: int
    time: time
    title: str
    address: str
    first: date

    def __repr__(self) -> str:
        return f"Letter({self.id})"


def compose(letter: Letter, sender: str) -> EmailMessage:
    """The mail. Its Message-ID is the message's id, so that a repeat can be dropped. Raises Unaddressable."""
    asked = letter.card.get("language")
    language = asked if asked in LANGUAGES else LANGUAGES[0]
    template = templates.get_template(f"seat.{language}.txt")
    subject, _, body = template.render(letter=letter, name=_line(letter.card["given_name"])).partition("\n\n")
    mail = EmailMessage(SMTP)
    mail["From"] = sender
    try:
        mail["To"] = Address(
            _line(f"{letter.card['given_name']} {letter.card['family_name']}"), addr_spec=letter.card["email"]
        )
    except (
        ValueError,
        IndexError,
        HeaderParseError,
    ):  # IndexError: the standard library's parser, on some malformed addresses
        raise Unaddressable from None
    mail["Subject"] = _line(subject)
    mail["Date"] = datetime.now(UTC)
    mail["Message-ID"] = f"<{letter.id}@{parseaddr(sender)[1].rpartition('@')[2] or 'localhost'}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(body)
    mail["Content-Language"] = language  # last: setting the content clears what describes it
    return mail


def _line(text: str) -> str:
    """On one line, so that no header can be written into another."""
    return " ".join(text.split())
