"""Failed sign-ins, and the time that the next one has to wait: longer after each failure, by address and by account.

Invariant: nobody is locked out by others. Who has signed in to an account from an address waits there for failures of the two together
alone; for everybody else the wait is bounded. No name and no address is kept or logged: only keyed hashes of them, with a key that ends
with the process.
"""

import hashlib
import hmac
import ipaddress
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)
FREE = 3  # failures after which no wait begins, since people mistype
ADDRESS_WAITS, ACCOUNT_WAITS = (
    300.0,
    30.0,
)  # seconds of the longest wait; an account's is short, since a stranger can cause it
FORGOTTEN = 3600.0  # seconds without a failure after which the former ones no longer count
MOST = 10_000  # addresses, accounts and pairs in memory; the one that was noted longest ago goes first


@dataclass(slots=True)
class Failures:
    """Failures one after the other, the time of the last one, and the time until which the next attempt waits."""

    count: int = 0
    last: float = 0.0
    until: float = 0.0


class Attempts:
    """The failed sign-ins of one process. `clock` counts seconds from any start."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._secret = clock, secrets.token_bytes(32)
        self._failures: OrderedDict[str, Failures] = OrderedDict()
        self._signed_in: OrderedDict[str, None] = OrderedDict()

    def wait(self, account: str, address: str) -> float:
        """Give the seconds for which this account has to wait at this address; 0 when it may try now."""
        now, found = self._clock(), (self._failures.get(key) for key in self._counted(account, address))
        return max((each.until - now for each in found if each is not None), default=0.0)

    def failed(self, account: str, address: str) -> None:
        """Note a failure, and log it."""
        now = self._clock()
        for key, longest in self._counted(account, address).items():
            noted = self._failures.setdefault(key, Failures())
            noted.count = noted.count + 1 if now - noted.last < FORGOTTEN else 1
            noted.last = now
            # The exponent is bounded, since a power of two without bound is soon too large for a float.
            noted.until = now + min(longest, 2.0 ** min(noted.count - FREE, 16)) if noted.count >= FREE else now
            self._failures.move_to_end(key)
        _shorten(self._failures)
        hashed = {"account": self._hash("account", account), "address": self._hash("address", _network(address))}
        log.warning("sign-in was refused", extra={"reason": "wrong password or role", **hashed})

    def succeeded(self, account: str, address: str) -> None:
        """Forget the failures of this account at this address, and remember that it belongs here."""
        pair = self._pair(account, address)
        self._failures.pop(pair, None)
        self._signed_in[pair] = None
        self._signed_in.move_to_end(pair)
        _shorten(self._signed_in)

    def _counted(self, account: str, address: str) -> dict[str, float]:
        """Give what counts the failures of this attempt, each with its longest wait in seconds."""
        pair = self._pair(account, address)
        if pair in self._signed_in:
            return {pair: ADDRESS_WAITS}
        by_address, by_account = self._hash("address", _network(address)), self._hash("account", account)
        return {by_address: ADDRESS_WAITS, by_account: ACCOUNT_WAITS}

    def _pair(self, account: str, address: str) -> str:
        return self._hash("pair", account, _network(address))

    def _hash(self, *parts: str) -> str:
        text = "\0".join(part.strip().casefold() for part in parts)
        return hmac.digest(self._secret, text.encode(errors="replace"), hashlib.sha256).hex()[:16]


def _network(address: str) -> str:
    """Give the network that one subscriber has: of IPv6 the first 64 bits, in which a subscriber has every address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else str(found)


def _shorten(kept: OrderedDict[str, Failures] | OrderedDict[str, None]) -> None:
    while len(kept) > MOST:
        kept.popitem(last=False)
