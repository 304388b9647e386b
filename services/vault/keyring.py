"""How a service keeps people's keys: enrolment under the master key, every other as it was wrapped for that service alone.

Invariant: a key is in memory only for as long as something is done with it; what is kept is wrapped.
"""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from services import vault

READERS = ("grouping", "sessions", "notifications", "analytics")
REMEMBERED = 2_000  # unwrapped keys, so that a person met in every batch is not unwrapped in every batch


@dataclass(frozen=True, slots=True)
class Made:
    """A new key: itself, the document that keeps it here, and the record that publishes it."""

    key: bytes
    kept: dict[str, Any]
    published: bytes


class KeyHolder(Protocol):
    """What a service can do with people's keys."""

    def open(self, person: str, kept: dict[str, Any]) -> bytes:
        """The 32-byte key from the document in `keys`."""

    def make(self, person: str) -> Made:
        """A new person's key. Only enrolment can; any other raises TypeError."""


class MasterHolder:
    """Enrolment: keys wrapped by the master key, and made here."""

    def __init__(self, master: vault.MasterKeys, public: dict[str, Any]) -> None:
        self._master, self._public = master, public

    def open(self, person: str, kept: dict[str, Any]) -> bytes:
        """Unwrap with the master key that wrapped it."""
        return self._master.unwrap(person, kept["wrapped"])

    def make(self, person: str) -> Made:
        """A fresh 256-bit key, wrapped for each reader."""
        key = vault.new_person_key()
        return Made(key, {"wrapped": self._master.wrap(person, key)}, vault.wrap_for(person, key, self._public))


class ServiceHolder:
    """Every other service: keys as they came on the bus, opened with the service's own private key."""

    def __init__(self, service: str, keys: vault.ServiceKeys) -> None:
        self._service, self._keys = service, keys
        self._opened: OrderedDict[bytes, bytes] = OrderedDict()

    def open(self, person: str, kept: dict[str, Any]) -> bytes:
        """Unwrap, remembering by the wrapped text itself: without the document nothing can be asked for."""
        token = bytes(kept["value"])
        if token not in self._opened:
            self._opened[token] = vault.unwrap_mine(self._service, self._keys.private, person, token)
            if len(self._opened) > REMEMBERED:
                self._opened.popitem(last=False)
        return self._opened[token]

    def make(self, person: str) -> Made:
        """Refused."""
        raise TypeError(f"{self._service} cannot make a key for person {person}")


def holder_of(service: str, folder: Path) -> KeyHolder:
    """What this service opens people's keys with. Misconfigured when a key file is missing or unreadable."""
    return service_holder(service, folder) if service in READERS else master_holder(folder)


def master_holder(folder: Path) -> MasterHolder:
    """Enrolment's, from its key files. Misconfigured when one is missing or unreadable."""
    return MasterHolder(vault.MasterKeys.load(folder), vault.public_keys(folder, READERS))


def service_holder(service: str, folder: Path) -> ServiceHolder:
    """Another service's, from its key file. Misconfigured when it is missing or unreadable."""
    return ServiceHolder(service, vault.ServiceKeys.load(folder, service))
