"""A mail server of the test's own that gives planned answers and keeps what it takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller

from services.runtime.serving import listen


class Taker:
    """Gives `answers` first, one per recipient; then it takes everything."""

    def __init__(self, *answers: str) -> None:
        self.answers, self.taken = list(answers), list[EmailMessage]()
        self.address = ""

    async def handle_RCPT(self, _: Any, __: Any, envelope: Any, address: str, ___: Any) -> str:  # noqa: N802  # aiosmtpd's name
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _: Any, __: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        self.taken.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"


@contextmanager
def taking(*answers: str) -> Iterator[Taker]:
    """Listen on a free port of loopback; the server's address is `taker.address`."""
    taker = Taker(*answers)
    with listen(0) as probe:
        port = probe.getsockname()[1]
    controller = Controller(taker, hostname="127.0.0.1", port=port)
    controller.start()
    taker.address = f"smtp://127.0.0.1:{port}"
    try:
        yield taker
    finally:
        controller.stop()
