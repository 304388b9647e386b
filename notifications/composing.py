"""The mail for a message: its text in the person's own language, from what is known at the moment of sending.

Invariant: the content is stored nowhere and shown in no log; its `repr` is the id of the message.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from notifications.mail_format import Mail, Mailbox, flatten, line

LANGUAGES = ("it", "en")  # one template each; other languages get the first
templates = Environment(  # noqa: S701  # plain text: nothing to escape
    loader=PackageLoader("notifications"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
templates.filters["line"] = line


@dataclass(frozen=True, slots=True, repr=False)
class MailContent:
    """Content of the mail about a seat. `first` is the first meeting, in local time. Later meetings are not named: not all of them may
    have arrived. `every`: days from a meeting to the next; `minutes`: length of one; `ask`: the office for questions, if there is one."""

    id: str
    card: Mapping[str, str]
    first: datetime
    title: str
    address: str
    every: int
    meetings: int
    minutes: int
    ask: str | None

    def __repr__(self) -> str:
        return f"MailContent({self.id})"


def compose(content: MailContent, sender: Mailbox) -> Mail:
    """Compose the mail. Its Message-ID is the message's id, so that a repeat can be dropped. Raises Uncomposable."""
    card = content.card
    recipient = Mailbox.of_person(f"{card['given_name']} {card['family_name']}", card["email"])
    asked = card.get("language")
    language = asked if asked in LANGUAGES else LANGUAGES[0]
    template = templates.get_template(f"seat.{language}.txt")
    subject, _, body = template.render(content=content, name=card["given_name"]).partition("\n\n")
    headers = {
        "Subject": line(subject),
        "Date": format_datetime(datetime.now(UTC).replace(microsecond=0)),
        "Message-ID": f"<{content.id}@{sender.address.rpartition('@')[2]}>",
        "Auto-Submitted": "auto-generated",
        "Content-Language": language,
    }
    data = flatten({"From": sender, "To": recipient}, headers, body)
    return Mail(content.id, sender.address, recipient.address, data)
