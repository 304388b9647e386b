"""A mail server that keeps every message in a folder: without a configured server, people can read what would have been sent.

Invariant: it listens on loopback alone and forwards nothing. No line of a mail is in a log, whatever the level of the log.
"""

import logging
import mailbox
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox


@contextmanager
def catching(folder: Path) -> Iterator[str]:
    """Keep mail as a Maildir in the folder; gives the server's address in the form of `AMA_SMTP`."""
    mailbox.Maildir(folder, create=True)
    # It logs the lines of mails at DEBUG, and addresses at INFO.
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    # aiosmtpd connects to the port that it was given, to see that it serves: so 0, any free port, will not do.
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
