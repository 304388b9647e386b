"""The content of a message: its text in the person's own language, as a mail or as a text message.

Invariant: the content is stored nowhere and shown in no log; its `repr` is the id of the message.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import format_datetime
from typing import Any

from babel.dates import format_date, format_time
from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from notifications.mail_format import Mail, Mailbox, flatten, line
from notifications.sms_format import Sms, number_of, plain

LANGUAGES = {"it": "it_IT", "en": "en_GB"}  # with the locale of dates; whoever reads another language gets the first
LONG = {"it": "EEEE d MMMM y", "en": "EEEE, d MMMM y"}
templates = Environment(  # noqa: S701  # plain text: nothing to escape
    loader=PackageLoader("notifications"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


@dataclass(frozen=True, slots=True, repr=False)
class Content:
    """Text and recipient of a message. `about` names the template, `shown` has its values; times are local."""

    id: str
    about: str
    card: Mapping[str, str]
    shown: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"Content({self.id})"

    @property
    def language(self) -> str:
        """The language in which it is written."""
        asked = self.card.get("language")
        return asked if asked in LANGUAGES else next(iter(LANGUAGES))

    def rendered(self, kind: str) -> str:
        """The text by the template of this kind."""
        template = templates.get_template(f"{self.about}.{self.language}.{kind}")
        return template.render(self.shown, name=self.card.get("given_name", ""), language=self.language)


def mail_of(content: Content, sender: Mailbox) -> Mail:
    """Compose the mail. Its Message-ID is the message's id, so that a repeat can be dropped. Raises Uncomposable."""
    card = content.card
    recipient = Mailbox.of_person(f"{card.get('given_name', '')} {card.get('family_name', '')}".strip(), card["email"])
    subject, _, body = content.rendered("txt").partition("\n\n")
    headers = {
        "Subject": line(subject),
        "Date": format_datetime(datetime.now(UTC).replace(microsecond=0)),
        "Message-ID": f"<{content.id}@{sender.address.rpartition('@')[2]}>",
        "Auto-Submitted": "auto-generated",
        "Content-Language": content.language,
    }
    data = flatten({"From": sender, "To": recipient}, headers, body)
    return Mail(content.id, sender.address, recipient.address, data)


def sms_of(content: Content) -> Sms:
    """Compose the text message. Raises Uncomposable when the number is none that takes text messages."""
    return Sms(content.id, number_of(content.card["phone"]), plain(content.rendered("sms.txt")))


@pass_context
def _day(context: Context, value: date) -> str:
    language = context["language"]
    return format_date(value, LONG[language], LANGUAGES[language])


def _short(text: str, most: int) -> str:
    kept = line(text)
    return kept if len(kept) <= most else kept[: most - 3].rstrip() + "..."


templates.filters |= {
    "line": line,
    "short": _short,
    "day": _day,
    "date": lambda value: format_date(value, "dd/MM/y", "it_IT"),  # as both languages write it here
    # Written from the value's own offset: Babel would turn it into UTC.
    "hour": lambda value: format_time(value.time(), "HH:mm", locale="it_IT"),
}
