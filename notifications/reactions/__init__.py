"""Reactions to events of enrolment and grouping, and handlers of the gate: messages to people (`people`), ledgers of partners (`partners`).

No reaction waits for another event: a fact that is incomplete stays with the person until the rest arrives.
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from notifications.commands import Pseudonyms
from notifications.kept_mail import KeptMail
from notifications.reactions.partners import ledger_gate, ledgers
from notifications.reactions.people import mail_gate, message_gate, messages
from services.events.delivery.declare import Gate, Reactions
from services.store.work import Work


def reactions_with(pseudonyms: Pseudonyms) -> Reactions:
    """Both tables as one; the reactions that fill ledgers are given the pseudonyms."""
    together = Reactions()
    for table in (messages, ledgers):
        for kind, needs in table.needs.items():
            together.needs.setdefault(kind, []).extend(needs)
    for kind, handlers in messages.handlers.items():
        together.handlers.setdefault(kind, []).extend(handlers)
    for kind, handlers in ledgers.handlers.items():
        together.handlers.setdefault(kind, []).extend(_given(handler, pseudonyms) for handler in handlers)
    return together


def gate_with(pseudonyms: Pseudonyms, kept: KeptMail) -> Gate:
    """The tables of the gate as one, as `reactions_with`. `kept`: mails that a mail server for trials keeps."""
    together = Gate()
    # Mails are removed first, while the messages that name them are known.
    for table, more in ((mail_gate, (kept,)), (message_gate, ()), (ledger_gate, (pseudonyms,))):
        for kind, needs in table.needs.items():
            together.needs.setdefault(kind, []).extend(needs)
        for kind, handlers in table.handlers.items():
            together.handlers.setdefault(kind, []).extend(_given(handler, *more) for handler in handlers)
    return together


def _given(handler: Callable[..., Awaitable[None]], *more: Any) -> Callable[[Any, Work], Awaitable[None]]:
    @wraps(handler)
    async def given(about: Any, work: Work) -> None:
        await handler(about, work, *more)

    return given
