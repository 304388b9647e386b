"""Addresses on this site that a request names, such as where to go on after sign-in.

Invariant: what is followed is a path of this site, whatever a browser makes of the text.
"""

from urllib.parse import quote, urlsplit

LONGEST = 2_000  # characters
OURS = ("/accedi", "/esci", "/ruolo", "/entra/", "/issuer/")  # they lead elsewhere themselves, or end what was begun


def local(address: str) -> str | None:
    """Return the address if it is a path of this site on which somebody can go on; else None."""
    # Browsers take a backslash for a slash, and leave out tabs and line breaks.
    if len(address) > LONGEST or "\\" in address or not address.isprintable() or " " in address:
        return None
    if not address.startswith("/") or address.startswith("//"):
        return None
    try:
        url = urlsplit(address)
    except ValueError:
        return None
    if (
        url.scheme
        or url.netloc
        or url.path == "/"
        or f"{url.path}/".startswith(tuple(f"{each.rstrip('/')}/" for each in OURS))
    ):
        return None
    return address


def with_next(path: str, address: str | None) -> str:
    """Return a path of ours that carries on where to go afterwards."""
    return f"{path}?next={quote(address, safe='')}" if address else path
