"""The certificate of the public front, as a client from outside receives it.

Invariant: it is read, not trusted, so that an expired or self-signed one is visible, too.
"""

import asyncio
import ssl
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from urllib.parse import urlsplit

from cryptography import x509


class NoCertificate(Exception):
    """The front presents no certificate: no process listens there, or it does not use TLS."""


@dataclass(frozen=True, slots=True)
class Front:
    """The address of the front, and the name for which its certificate is asked."""

    host: str
    port: int
    name: str

    @classmethod
    def of(cls, public_url: str, front: str | None) -> Self | None:
        """Return the front of this public address, reached at `front` (host:port) if that is given; None without TLS."""
        address = urlsplit(public_url)
        if address.scheme != "https" or address.hostname is None:
            return None
        there = urlsplit(f"//{front}" if front else public_url)
        return cls(there.hostname or address.hostname, there.port or 443, address.hostname)


async def validity(front: Front, patience: float = 5.0) -> tuple[datetime, datetime]:
    """Return the first and the last moment of its validity. NoCertificate when none is presented in `patience` seconds."""
    context = ssl.create_default_context()
    # Verification would end the handshake with an expired certificate, whose dates are asked for here.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        async with asyncio.timeout(patience):
            # The public name goes along (SNI): with AMA_FRONT the front is reached under another name.
            _, writer = await asyncio.open_connection(front.host, front.port, ssl=context, server_hostname=front.name)
            received = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            writer.close()
        certificate = x509.load_der_x509_certificate(received)
    except (OSError, TimeoutError, ValueError) as error:
        raise NoCertificate(f"{front.host}:{front.port}: {type(error).__name__}") from error
    return certificate.not_valid_before_utc, certificate.not_valid_after_utc
