"""Composition of notifications."""

from collections.abc import Sequence
from functools import partial

from notifications import api, pages
from notifications.domain import Feed, GroupCalendar, LedgerEntry, Message, Recipient, ReferredPerson, Venue
from notifications.held import held
from notifications.kept_mail import KeptMail
from notifications.mailer import mailing
from notifications.publisher import publish
from notifications.queries import uses
from notifications.reactions import gate_with, reactions_with
from notifications.replay import restore_feeds, restore_messages
from services import vault
from services.contracts.topics import CONTACTS, KEYS
from services.operations.erasures import erase_restored
from services.runtime.service import BackgroundTask, Service
from services.settings import Settings
from services.vault.keyring import service_holder


def build(settings: Settings, background: Sequence[BackgroundTask] | None = None) -> Service:
    """Build the service. `background`: None means the mailer and the publisher.

    Misconfigured when its keys or programmes cannot be read, or AMA_SMTP or AMA_SMS is no address of its form.
    """
    pseudonyms = partial(vault.pseudonym, vault.secret_of(settings.keys, "pseudonyms"))
    return Service(
        "notifications",
        settings,
        holder=service_holder("notifications", settings.keys),
        aggregates=[Venue, GroupCalendar, Recipient, Message, ReferredPerson, Feed, LedgerEntry],
        routes=[api.router, pages.router],
        reactions=reactions_with(pseudonyms),
        gate=gate_with(pseudonyms, KeptMail.of(settings)),
        held=held,
        tables=[KEYS, CONTACTS],
        background=[mailing(settings), publish] if background is None else background,
        after_restore=[restore_feeds, restore_messages, erase_restored],
        uses=uses,
    )
