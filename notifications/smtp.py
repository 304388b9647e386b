"""One mail to one mail server.

Invariant: what is raised names a code and never an address: a mail library's own errors carry both.
"""

from dataclasses import dataclass, field
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

import aiosmtplib
from aiosmtplib import SMTPException, SMTPRecipientRefused, SMTPRecipientsRefused, SMTPResponseException

from services.settings import Misconfigured

SECONDS = 30.0  # for each step of the conversation
PORTS = {"smtp": 25, "smtps": 465}


class Later(Exception):
    """It did not go out, and may another time."""


class Never(Exception):
    """The mail server will not take this mail."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail goes out. With a user, nothing is said before the line is encrypted."""

    host: str
    port: int
    tls: bool
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, address: str) -> "Server":
        """From `smtp://user:password@host:port` or `smtps://…`. Misconfigured when it is none."""
        try:
            url = urlsplit(address)
            port = url.port or PORTS[url.scheme]
        except (ValueError, KeyError) as error:
            raise Misconfigured("AMA_SMTP is not of the form smtp://user:password@host:port or smtps://….") from error
        if not url.hostname:
            raise Misconfigured("AMA_SMTP names no host.")
        user, password = (unquote(text) if text else None for text in (url.username, url.password))
        return cls(url.hostname, port, url.scheme == "smtps", user, password)


async def send(mail: EmailMessage, server: Server) -> None:
    """Hand it over. Raises Never when the server refuses recipient or content for good (5xx), Later for everything else: also a
    refused login or sender, which says nothing of this mail."""
    try:
        await aiosmtplib.send(
            mail,
            hostname=server.host,
            port=server.port,
            use_tls=server.tls,
            start_tls=True if server.user and not server.tls else None,
            username=server.user,
            password=server.password,
            timeout=SECONDS,
        )
    except SMTPRecipientsRefused as refused:
        raise _told(max((each.code for each in refused.recipients), default=0), "recipient") from None
    except (SMTPRecipientRefused, aiosmtplib.SMTPDataError) as refused:
        raise _told(refused.code, "recipient" if isinstance(refused, SMTPRecipientRefused) else "content") from None
    except SMTPResponseException as trouble:
        raise Later(f"{type(trouble).__name__} {trouble.code}") from None
    except (SMTPException, OSError) as trouble:
        raise Later(type(trouble).__name__) from None


def _told(code: int, what: str) -> Later | Never:
    return Never(f"{what} refused with {code}") if 500 <= code < 600 else Later(f"{what} refused with {code}")
