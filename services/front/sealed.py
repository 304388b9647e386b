"""Documents that a secret opens which is kept elsewhere: in a cookie, or in an address that somebody comes back by.

Invariant: the database has the SHA-256 of a secret and never the secret, so whoever has the database alone opens nothing. Expired documents
are removed by MongoDB itself, and count as gone before that.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from services.store.mongo import Document, Store
from services.vault import Unopenable
from services.vault.sealing import bound, decrypt, derived, encrypt, to_bytes

SIZE = 32  # bytes of a secret
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


def new_secret() -> str:
    """Return 256 random bits in base64url."""
    return secrets.token_urlsafe(SIZE)


def is_secret(text: str) -> bool:
    """Tell if a text can be a secret of ours; a caller may send anything."""
    return _SECRET.fullmatch(text) is not None


def name_of(secret: str) -> str:
    """Return the name under which the database has a secret's document."""
    return hashlib.sha256(secret.encode()).hexdigest()


def seal(secret: str, use: str, content: Any) -> str:
    """Encrypt JSON under a key that is derived from the secret."""
    return encrypt(_key(secret, use), json.dumps(content).encode(), _bound(secret, use))


def open_sealed(secret: str, use: str, sealed: str) -> Any:
    """Decrypt what `seal` returned. Raises Unopenable."""
    return json.loads(decrypt(_key(secret, use), sealed, _bound(secret, use)))


def _key(secret: str, use: str) -> bytes:
    return derived(to_bytes(secret), "site", use)


def _bound(secret: str, use: str) -> bytes:
    # So that one document's content cannot be put into another one.
    return bound("site", use, name_of(secret))


def utc() -> datetime:
    """Return the time, to the millisecond that MongoDB keeps."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


Clock = Callable[[], datetime]


class Sealed:
    """A collection of sealed documents with an end. `use` binds a document to this collection."""

    def __init__(self, store: Store, collection: str, clock: Clock = utc) -> None:
        self._store, self._collection, self._clock = store, collection, clock

    async def prepare(self) -> None:
        """Make the collection and its index."""
        await self._store.make(self._collection)
        await self._documents.create_index([("expires", 1)], expireAfterSeconds=0)

    @property
    def _documents(self) -> Any:
        return self._store[self._collection]

    async def keep(self, content: Any, until: datetime, **beside: Any) -> str:
        """Keep a new document until then; return its secret. `beside` is stored as it is."""
        secret = new_secret()
        sealed = seal(secret, self._collection, content)
        await self._documents.insert_one({"_id": name_of(secret), "sealed": sealed, "expires": until, **beside})
        return secret

    async def find(self, secret: str) -> tuple[Any, Document] | None:
        """Return the content of a document that has not expired, and the document."""
        if not is_secret(secret):
            return None
        found = await self._documents.find_one({"_id": name_of(secret), "expires": {"$gt": self._clock()}})
        return self._opened(secret, found)

    async def take(self, secret: str) -> Any | None:
        """Remove a document and return its content: of several who ask, one gets it."""
        if not is_secret(secret):
            return None
        found = await self._documents.find_one_and_delete({"_id": name_of(secret), "expires": {"$gt": self._clock()}})
        opened = self._opened(secret, found)
        return opened and opened[0]

    async def change(self, secret: str, content: Any = None, **beside: Any) -> None:
        """Change a document that is still there. An ended one does not come back."""
        fresh = {} if content is None else {"sealed": seal(secret, self._collection, content)}
        await self._documents.update_one({"_id": name_of(secret)}, {"$set": fresh | beside})

    async def end(self, secret: str) -> None:
        """Remove a document, if it is there."""
        await self._documents.delete_one({"_id": name_of(secret)})

    def _opened(self, secret: str, found: Document | None) -> tuple[Any, Document] | None:
        if found is None:
            return None
        try:
            return open_sealed(secret, self._collection, found["sealed"]), found
        except Unopenable:
            return None  # somebody changed the document: it opens for nobody
