"""Answers that are kept for repeats of their request.

Invariants: a kept answer has no hash that can be guessed without a key of the service, and names each person whom it concerns, so that
an erasure finds it. What an erasure leaves refuses a repeat: the request is never done a second time.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from services.store.documents import StoredDocument
from services.store.mongo import Document, UpdateMany

REMEMBERED = timedelta(days=30)  # for which a repeat gets the first answer
PURPOSE = "answers"  # of the secret that makes the digests


@dataclass(frozen=True, slots=True, repr=False)
class Repeat:
    """A request that may be repeated. `scope`: its caller, route and key; `about`: the persons whom caller and route name."""

    programme: str
    scope: str
    body: bytes
    about: frozenset[str] = frozenset()

    def id(self, secret: bytes) -> str:
        """Return the id of its answer. A digest, since a route contains ids of persons, and a key whatever the caller chose."""
        return f"{self.programme}/{_digest(secret, self.programme, self.scope)}"

    def digest(self, secret: bytes) -> str:
        """Return the digest of its body. Equal bodies of two requests have two digests: nobody learns that two people said the same."""
        return _digest(secret, self.id(secret), hashlib.sha256(self.body).hexdigest())


def _digest(secret: bytes, *parts: str) -> str:
    # Keyed: a body with few possible contents would be found by trying them all.
    return hmac.new(secret, "\n".join(parts).encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Answer(StoredDocument):
    """The answer to a request. `about`: the persons whom it concerns; `erased`: one of them was erased, and nothing else is left."""

    collection: ClassVar[str] = "answers"

    programme: str
    body: str
    answer: Any
    at: datetime
    about: list[str]
    erased: bool = False

    @classmethod
    def forget(cls, programme: str, person: str) -> UpdateMany:
        """Return the write that empties every answer that concerns the person. The empty ones stay until they expire: without them a
        repeat of a referral, which a client may send by itself, would create the person again."""
        empty: Document = {"body": "", "answer": None, "about": [], "erased": True}
        return UpdateMany({"programme": programme, "about": person}, {"$set": empty})
