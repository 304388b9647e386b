"""The channels by which messages go out: mail, and text messages for whoever has a telephone alone.

Invariants: the channel is chosen when a message is sent, from the contact card of that moment; whoever has an address for mail gets mail,
unless they asked not to be written to by it. No message goes by a channel that the person excluded.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from notifications import sms, smtp
from notifications.composing import Content, mail_of, sms_of
from notifications.mail_format import Mail, Mailbox, Uncomposable
from notifications.sms_format import Sms
from services.settings import Misconfigured, Settings

C = TypeVar("C")


class Channel(Protocol[C]):
    """One way to reach people. `name` is what is stored of it; `card_field` the field of the contact card that it needs."""

    name: str
    card_field: str

    def compose(self, content: Content) -> C:
        """Make what goes out. Raises Uncomposable."""

    async def send(self, composed: C) -> None:
        """Hand it over. Raises PermanentFailure or TransientFailure."""


class MailChannel:
    """Mail to one mail server."""

    name, card_field = "mail", "email"

    def __init__(self, server: smtp.Server, sender: Mailbox) -> None:
        self._server, self._sender = server, sender

    def compose(self, content: Content) -> Mail:
        """The mail, read back."""
        return mail_of(content, self._sender)

    async def send(self, composed: Mail) -> None:
        """Hand the mail to the mail server."""
        await smtp.send(composed, self._server)


class SmsChannel:
    """Text messages to a folder or a gateway."""

    name, card_field = "sms", "phone"

    def __init__(self, place: sms.Folder | sms.Gateway) -> None:
        self._place = place

    def compose(self, content: Content) -> Sms:
        """Make the text message, for a number that takes one."""
        return sms_of(content)

    async def send(self, composed: Sms) -> None:
        """Hand the text message to the folder or the gateway."""
        await sms.send(composed, self._place)


Channels = Sequence[Channel[Any]]


def channels_of(settings: Settings) -> Channels:
    """The channels that are set up, the preferred one first. Misconfigured when AMA_SMTP, AMA_MAIL_FROM or AMA_SMS is none of its form."""
    sender, found = sender_of(settings), list[Channel[Any]]()
    if settings.smtp:
        found.append(MailChannel(smtp.Server.of(settings.smtp), sender))
    if settings.sms:
        found.append(SmsChannel(sms.place_of(settings.sms)))
    return found


def sender_of(settings: Settings) -> Mailbox:
    """The sender of every mail. Misconfigured when it has no address: each message would be given up."""
    sender = Mailbox.of_sender(settings.mail_from)
    if sender is None:
        raise Misconfigured("AMA_MAIL_FROM is not of the form Name <address>, with an address in ASCII.")
    return sender


def channel_for(card: Mapping[str, str], channels: Channels) -> Channel[Any]:
    """The channel by which this person is reached. Raises Uncomposable with "no-address" when the card has none at all, "excluded" when the
    person wants no message by those that could reach them, "no-channel" when the one for their address is not set up."""
    excluded = set(card.get("not_by", "").split())
    reaching = [each for each in channels if card.get(each.card_field)]
    for each in reaching:
        if each.name not in excluded:
            return each
    if not (card.get("email") or card.get("phone")):
        raise Uncomposable("no-address")
    raise Uncomposable("excluded" if reaching else "no-channel")
