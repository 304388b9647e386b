"""Search for what dead letters, parked events and the copies of dead letters in the outbox hold of a person.

Invariant: a record is searched by its content, because one that is no event, or is about somebody else, may name the person too. The cost
is bounded: dead letters and parked events are few. What the gate has parked is not searched: the erasure itself may be among it.
"""

import re
from dataclasses import dataclass
from itertools import chain

from services.contracts.topics import DEAD
from services.events.inbox.documents import GATE
from services.store.mongo import Document, Store, Transaction

_PROGRAMME = re.compile(rb"/programmes/([^/\"|]+)/")
_TEXTS = ("subject_key", "subject", "name", "why", "key")


@dataclass(frozen=True, slots=True)
class Traces:
    """The documents that name the person, by collection."""

    dead: list[Document]
    parked: list[Document]
    outbox: list[Document]


async def traces_of(store: Store, programme: str, person: str, transaction: Transaction | None = None) -> Traces:
    """Find everything that names the person, and is not of another programme."""
    word = re.compile(rb"(?<![A-Za-z0-9-])" + re.escape(person).encode() + rb"(?![A-Za-z0-9-])")

    async def named(collection: str, where: Document) -> list[Document]:
        found = store[collection].find(where, session=transaction)
        return [each async for each in found if _names(each, word, programme.encode())]

    return Traces(
        await named("dead", {}),
        await named("parked", {"consumer": {"$ne": GATE}}),
        await named("outbox", {"sequence": 0, "topic": {"$regex": f"{re.escape(DEAD)}$"}}),
    )


def _names(document: Document, word: re.Pattern[bytes], programme: bytes) -> bool:
    texts = [document.get(each) or b"" for each in _TEXTS]
    content = b"\n".join(each.encode() if isinstance(each, str) else each for each in (*texts, _value(document)))
    said = _PROGRAMME.search(content)
    return word.search(content) is not None and (said is None or said[1] == programme)


def _value(document: Document) -> bytes:
    headers = chain.from_iterable(document.get("headers") or ())
    return b"\n".join([document.get("value") or b"", *(each for each in headers if isinstance(each, bytes))])
