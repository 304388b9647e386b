"""Notifications, composed."""

from collections.abc import Sequence
from functools import partial

from notifications import api
from notifications.domain import Circle, Entry, Feed, Known, Message, Recipient, Venue
from notifications.mailer import mailing
from notifications.publisher import publish
from notifications.reactions import standing
from notifications.replay import recall_feeds, recall_letters
from services import vault
from services.contracts.topics import CONTACTS, KEYS
from services.runtime.service import BackgroundTask, Service
from services.settings import Settings
from services.vault.keyring import service_holder


def build(settings: Settings, background: Sequence[BackgroundTask] | None = None) -> Service:
    """Compose notifications. `background`: None means the mailer and the publisher. Misconfigured when its keys or programmes cannot be
    read, or the mail server's address is none."""
    return Service(
        "notifications",
        settings,
        holder=service_holder("notifications", settings.keys),
        aggregates=[Venue, Circle, Recipient, Message, Known, Feed, Entry],
        routes=[api.router],
        reactions=standing(partial(vault.pseudonym, vault.secret_of(settings.keys, "pseudonyms"))),
        tables=[KEYS, CONTACTS],
        background=[mailing(settings), publish] if background is None else background,
        after_restore=[recall_feeds, recall_letters],
    )
