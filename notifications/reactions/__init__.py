"""What others say, and who is told of it: people (`people`) and partners (`partners`).

No decision here waits for another event: what is not known yet stays with the person until it is.
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from notifications.commands import Naming
from notifications.reactions.partners import ledgers
from notifications.reactions.people import letters
from services.contracts import Event
from services.events.delivery.declare import Reactions
from services.store.work import Work


def standing(naming: Naming) -> Reactions:
    """Both tables as one; the reactions that fill ledgers are given how a partner knows a person."""
    together = Reactions()
    for table in (letters, ledgers):
        for kind, needs in table.needs.items():
            together.needs.setdefault(kind, []).extend(needs)
    for kind, handlers in letters.handlers.items():
        together.handlers.setdefault(kind, []).extend(handlers)
    for kind, handlers in ledgers.handlers.items():
        together.handlers.setdefault(kind, []).extend(_given(handler, naming) for handler in handlers)
    return together


def _given(handler: Callable[..., Awaitable[None]], naming: Naming) -> Callable[[Event[Any], Work], Awaitable[None]]:
    @wraps(handler)
    async def given(event: Event[Any], work: Work) -> None:
        await handler(event, work, naming)

    return given
