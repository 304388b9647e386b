"""A mail server that keeps what it is given: where no other is configured, messages can be looked at instead of being lost.

Invariant: it listens on loopback alone and sends nothing anywhere.
"""

import mailbox
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox


@contextmanager
def catching(folder: Path) -> Iterator[str]:
    """Keep mail as a Maildir in the folder; gives the server's address as `AMA_SMTP` takes it."""
    mailbox.Maildir(folder, create=True)
    controller = Controller(Mailbox(folder), hostname="127.0.0.1", port=_free())
    controller.start()
    try:
        yield f"smtp://127.0.0.1:{controller.port}"
    finally:
        controller.stop()


def _free() -> int:
    from services.runtime.serving import listen

    with listen(0) as probe:
        return int(probe.getsockname()[1])
