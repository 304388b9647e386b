"""The public front's certificate, as whoever comes from outside is shown it.

Invariant: it is read, not trusted: one that has ended, or that nobody signed, is to be seen as well.
"""

import asyncio
import ssl
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from urllib.parse import urlsplit

from cryptography import x509


class NoCertificate(Exception):
    """The front shows none: nobody listens there, or does not speak TLS."""


@dataclass(frozen=True, slots=True)
class Front:
    """Where to ask, and by which name."""

    host: str
    port: int
    name: str

    @classmethod
    def of(cls, public_url: str, front: str | None) -> Self | None:
        """The front of this public address, asked at `front` (host:port) if that is given; None for one without TLS."""
        address = urlsplit(public_url)
        if address.scheme != "https" or address.hostname is None:
            return None
        there = urlsplit(f"//{front}" if front else public_url)
        return cls(there.hostname or address.hostname, there.port or 443, address.hostname)


async def validity(front: Front, patience: float = 5.0) -> tuple[datetime, datetime]:
    """From when until when the certificate is valid. NoCertificate when none is shown in so many seconds."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        async with asyncio.timeout(patience):
            _, writer = await asyncio.open_connection(front.host, front.port, ssl=context, server_hostname=front.name)
            shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            writer.close()
        certificate = x509.load_der_x509_certificate(shown)
    except (OSError, TimeoutError, ValueError) as error:
        raise NoCertificate(f"{front.host}:{front.port}: {type(error).__name__}") from error
    return certificate.not_valid_before_utc, certificate.not_valid_after_utc
