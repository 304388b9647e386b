"""Persons' keys in a service: enrolment keeps them under the master key, every other service as they were wrapped for it alone.

Invariant: a key is in memory only while it is in use; every stored key is wrapped. Enrolment makes the keys; the services that read an
encrypted topic receive them (`services.contracts.topics` lists both).
"""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from services import vault
from services.contracts.topics import KEYS, SERVICES, TOPICS

# Enrolment needs no copy for itself: it keeps the keys under the master key.
READERS = tuple(
    service
    for service in SERVICES
    if service != KEYS.writer and any(topic.encrypted and service in topic.readers for topic in TOPICS.values())
)
REMEMBERED = 2_000  # unwrapped keys, so that a person met in every batch is not unwrapped in every batch


@dataclass(frozen=True, slots=True)
class NewKey:
    """A new key in clear (`key`), as enrolment stores it (`wrapped`), and as it is `published` for the services that may read it."""

    key: bytes
    wrapped: str
    published: bytes


class KeptKey(Protocol):
    """A person's key as a service stores it: `wrapped` in enrolment, the `value` of its record elsewhere."""

    @property
    def wrapped(self) -> str | None:
        """The key under the master key."""

    @property
    def value(self) -> bytes | None:
        """The key wrapped for each service."""


class KeyHolder(Protocol):
    """Opens persons' keys, and makes them where that is allowed."""

    def open(self, person: str, kept: KeptKey) -> bytes:
        """Return the 32-byte key. Raises Unopenable."""

    def secrets(self, purpose: str) -> list[bytes]:
        """Return the service's secrets of 32 bytes for this purpose, the newest first: after a rotation there may be older ones."""

    def make(self, person: str) -> NewKey:
        """Make a person's key. Enrolment alone can; any other raises TypeError."""

    def fiscal_digest(self, programme: str, code: str) -> str:
        """Return the digest by which a tax code is found again. Enrolment alone can; any other raises TypeError."""


class MasterHolder:
    """Opens and makes keys in enrolment, with the master keys. `public`: the public key of each reader; `lookup`: the secret of
    look-ups."""

    def __init__(self, master: vault.MasterKeys, public: dict[str, Any], lookup: bytes) -> None:
        self._master, self._public, self._lookup = master, public, lookup

    def open(self, person: str, kept: KeptKey) -> bytes:
        """Unwrap with the master key that wrapped it. Raises Unopenable."""
        return self._master.unwrap(person, kept.wrapped or "")

    def secrets(self, purpose: str) -> list[bytes]:
        """Derive one from each master key."""
        return self._master.secrets(purpose)

    def make(self, person: str) -> NewKey:
        """Make a random 256-bit key and wrap it for each reader."""
        key = vault.new_person_key()
        return NewKey(key, self._master.wrap(person, key), vault.wrap_for(person, key, self._public))

    def fiscal_digest(self, programme: str, code: str) -> str:
        """Make it with the secret of look-ups."""
        return vault.fiscal_digest(self._lookup, programme, code)


class ServiceHolder:
    """Opens the keys that came on the bus, with the service's own private key."""

    def __init__(self, service: str, keys: vault.ServiceKeys) -> None:
        self._service, self._keys = service, keys
        self._opened: OrderedDict[bytes, bytes] = OrderedDict()

    def open(self, person: str, kept: KeptKey) -> bytes:
        """Unwrap, or take it from the cache. Its key is the wrapped text, so that nothing opens without the stored document."""
        token = bytes(kept.value or b"")
        if token not in self._opened:
            self._opened[token] = vault.unwrap_mine(self._service, self._keys.private, person, token)
            if len(self._opened) > REMEMBERED:
                self._opened.popitem(last=False)
        return self._opened[token]

    def secrets(self, purpose: str) -> list[bytes]:
        """Derive one from the service's own key."""
        return [self._keys.secret(purpose)]

    def make(self, person: str) -> NewKey:
        """Refuse with TypeError: enrolment alone makes keys."""
        raise TypeError(f"{self._service} cannot make a key for person {person}")

    def fiscal_digest(self, programme: str, code: str) -> str:  # noqa: ARG002  # as the protocol has it
        """Refuse with TypeError: enrolment alone knows tax codes."""
        raise TypeError(f"{self._service} has no tax codes of {programme}")


def holder_of(service: str, folder: Path) -> KeyHolder:
    """Return the key holder of this service. Misconfigured when a key file is missing or unreadable."""
    return service_holder(service, folder) if service in READERS else master_holder(folder)


def master_holder(folder: Path) -> MasterHolder:
    """Build enrolment's from its key files. Misconfigured when one is missing or unreadable."""
    public = vault.public_keys(folder, READERS)
    return MasterHolder(vault.MasterKeys.load(folder), public, vault.secret_of(folder, "lookups"))


def service_holder(service: str, folder: Path) -> ServiceHolder:
    """Build another service's from its key file. Misconfigured when the file is missing or unreadable."""
    return ServiceHolder(service, vault.ServiceKeys.load(folder, service))
