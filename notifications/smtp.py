"""One mail to one mail server.

Invariants: an error names a code and never an address; the errors of the mail library carry both. Whatever fails here fails for one mail
alone.
"""

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import aiosmtplib
from aiosmtplib import SMTPRecipientRefused, SMTPRecipientsRefused, SMTPResponseException

from notifications.failures import PermanentFailure, TransientFailure
from notifications.mail_format import Mail
from services.settings import Misconfigured

SECONDS = 30.0  # for each step of the conversation
PORTS = {"smtp": 25, "smtps": 465}


@dataclass(frozen=True, slots=True)
class Server:
    """The mail server for outgoing mail. With a user, the line is encrypted before the password is sent."""

    host: str
    port: int
    tls: bool
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, address: str) -> "Server":
        """Read `smtp://user:password@host:port` or `smtps://…`. Misconfigured when the address is neither."""
        try:
            url = urlsplit(address)
            port = url.port or PORTS[url.scheme]
        except (ValueError, KeyError) as error:
            raise Misconfigured("AMA_SMTP is not of the form smtp://user:password@host:port or smtps://….") from error
        if not url.hostname:
            raise Misconfigured("AMA_SMTP names no host.")
        user, password = (unquote(text) if text else None for text in (url.username, url.password))
        return cls(url.hostname, port, url.scheme == "smtps", user, password)


async def send(mail: Mail, server: Server) -> None:
    """Hand the mail to the server. Raises PermanentFailure when it refuses recipient or content with 5xx, TransientFailure otherwise:
    a refused login or sender says nothing about this mail."""
    try:
        await aiosmtplib.send(
            mail.data,
            sender=mail.sender,
            recipients=[mail.recipient],
            hostname=server.host,
            port=server.port,
            use_tls=server.tls,
            start_tls=True if server.user and not server.tls else None,
            username=server.user,
            password=server.password,
            timeout=SECONDS,
        )
    except SMTPRecipientsRefused as refused:
        raise _failure(max((each.code for each in refused.recipients), default=0), "recipient") from None
    except (SMTPRecipientRefused, aiosmtplib.SMTPDataError) as refused:
        part = "recipient" if isinstance(refused, SMTPRecipientRefused) else "content"
        raise _failure(refused.code, part) from None
    except SMTPResponseException as error:
        raise TransientFailure(f"{type(error).__name__} {error.code}") from None
    except Exception as error:  # noqa: BLE001  # the library also raises errors of its own parts, on what a server answers
        raise TransientFailure(type(error).__name__) from None


def _failure(code: int, part: str) -> TransientFailure | PermanentFailure:
    kind = PermanentFailure if 500 <= code < 600 else TransientFailure
    return kind(f"{part} refused with {code}")
