"""A public TLS front with a certificate of a chosen age and end."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.engines.ports import LOOPBACK

NAME = "ama.example.org"


def certificate(folder: Path, lived: timedelta, left: timedelta) -> tuple[Path, datetime]:
    """Make a certificate with its key in one file. Gives its path and its end (whole seconds)."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC).replace(microsecond=0)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - lived)
        .not_valid_after(now + left)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{made.serial_number}.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path, now + left


@asynccontextmanager
async def front(port: int, certificate: Path) -> AsyncIterator[None]:
    """Accept TLS connections at this port, and close each at once."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, LOOPBACK, port, ssl=context):
        yield
