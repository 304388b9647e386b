"""The mail for a message: its text in the person's own language, from what is known at the moment of sending.

Invariant: the content is stored nowhere and shown in no log; its `repr` is the id of the message.
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

LANGUAGES = ("it", "en")  # one template each; other languages get the first
templates = Environment(  # noqa: S701  # plain text: nothing to escape
    loader=PackageLoader("notifications"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


class Unaddressable(Exception):
    """No mail can be sent to the address."""


@dataclass(frozen=True, slots=True, repr=False)
class MailContent:
    """Content of the mail about a seat. `weekday` is ISO (Monday is 1), `time` the local time of day."""

    id: str
    card: Mapping[str, str]
    weekday: int
    time: time
    title: str
    address: str
    first: date

    def __repr__(self) -> str:
        return f"MailContent({self.id})"


def compose(content: MailContent, sender: str) -> EmailMessage:
    """Compose the mail. Its Message-ID is the message's id, so that a repeat can be dropped. Raises Unaddressable."""
    asked = content.card.get("language")
    language = asked if asked in LANGUAGES else LANGUAGES[0]
    template = templates.get_template(f"seat.{language}.txt")
    subject, _, body = template.render(content=content, name=_line(content.card["given_name"])).partition("\n\n")
    mail = EmailMessage(SMTP)
    mail["From"] = sender
    try:
        mail["To"] = Address(
            _line(f"{content.card['given_name']} {content.card['family_name']}"), addr_spec=content.card["email"]
        )
    except (ValueError, IndexError, HeaderParseError):  # IndexError: the parser fails so on some malformed addresses
        raise Unaddressable from None
    mail["Subject"] = _line(subject)
    mail["Date"] = datetime.now(UTC)
    mail["Message-ID"] = f"<{content.id}@{parseaddr(sender)[1].rpartition('@')[2] or 'localhost'}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(body)
    mail["Content-Language"] = language  # last: setting the content clears what describes it
    return mail


def _line(text: str) -> str:
    """The text on one line, so that a name cannot add a header."""
    return " ".join(text.split())
