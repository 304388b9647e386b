"""Owner of the collection `cells`: the means of scores that were shown, so that every copy, and every later look, shows by the same rule.

Invariants: a person and a value are kept as digests under a key that is derived from the service's own, another one for each block. The
digests of an erased person are replaced by random ones. The collection is no projection: a rebuild does not touch it, a backup has it.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from analytics.disclosure import LEAST, SIDES, Block, Shown, looked_at
from analytics.indicators import BlockKey, Mean, Scored, Wave, mean_of
from services.store.documents import StoredDocument
from services.store.mongo import Document, InsertOne, ReplaceOne, Store, Transaction
from services.store.people import ErasedPerson

SIZE = 16  # bytes of a digest
FEWER = f"fewer than {LEAST}"


@dataclass(frozen=True, slots=True)
class ShownBlock(StoredDocument):
    """A block as it is stored. `shown`: by side, each mean that was ever shown with its people; `now`: the place of the present one."""

    collection: ClassVar[str] = "cells"

    programme: str
    version: int = 0
    shown: dict[str, list[Document]] = field(default_factory=lambda: {side: [] for side in SIDES})
    now: dict[str, int | None] = field(default_factory=lambda: dict.fromkeys(SIDES))

    def block(self, forgotten: Mapping[bytes, bytes]) -> Block:
        """Return the block, with digests of erased people replaced by those of `forgotten`."""
        read = {
            side: [Shown(dict(_unpacked(each["people"], forgotten)), each["mean"], each["sd"]) for each in some]
            for side, some in self.shown.items()
        }
        return Block(read, self.now)

    def holding(self, block: Block) -> "ShownBlock":
        """Return the document of this block, one version later."""
        written = {
            side: [{"mean": each.mean, "sd": each.sd, "people": _packed(each)} for each in some]
            for side, some in block.shown.items()
        }
        return ShownBlock(self.id, self.programme, self.version + 1, written, dict(block.now))


class Cells:
    """Shows the means of one programme at a time. `secret`: 32 bytes that the service keeps."""

    def __init__(self, secret: bytes) -> None:
        self._secret, self._made = secret, False

    async def show(self, store: Store, programme: str, scored: Mapping[BlockKey, Scored]) -> list[Wave]:
        """Return each block as it may be shown, and remember what is shown."""
        if not self._made:
            # Before the transaction: one that makes a collection conflicts with its neighbours.
            await store.make(ShownBlock.collection)
            self._made = True

        async def look(transaction: Transaction) -> dict[BlockKey, Block]:
            return await self._look(store, programme, scored, transaction)

        blocks = await store.transaction(look)
        return [
            Wave(instrument=key[0], wave=key[1], scale=key[2], **{side: _mean(block.value(side)) for side in SIDES})
            for key, block in sorted(blocks.items())
        ]

    async def _look(
        self, store: Store, programme: str, scored: Mapping[BlockKey, Scored], transaction: Transaction
    ) -> dict[BlockKey, Block]:
        ids = {key: "/".join((programme, *key)) for key in scored}
        stored = await store.by_id(ShownBlock.collection, list(ids.values()), transaction)
        found = store[ErasedPerson.collection].find({"programme": programme}, {"_id": 1}, session=transaction)
        erased = [each["_id"].partition("/")[2] async for each in found]
        blocks, writes = {}, []
        for key, sides in scored.items():
            known = ShownBlock.of(stored[ids[key]]) if ids[key] in stored else ShownBlock(ids[key], programme)
            before = known.block(self._forgotten(ids[key], erased, known))
            blocks[key] = looked_at(before, self._cells(ids[key], sides))
            new = known.holding(blocks[key])
            if new.shown != known.shown or new.now != known.now:
                writes.append(_write(known, new))
        await store.write(ShownBlock.collection, writes, transaction)
        return blocks

    def _cells(self, block: str, sides: Scored) -> dict[str, Shown]:
        """Return the mean of each side as it is, with the digests of its people."""
        found = {}
        for side, values in sides.items():
            mean = mean_of(list(values.values()))
            if mean.mean is not None and mean.sd is not None:
                people = {
                    self._digest(block, person): self._digest(block, person, repr(value))
                    for person, value in values.items()
                }
                found[side] = Shown(people, mean.mean, mean.sd)
        return found

    def _forgotten(self, block: str, erased: Sequence[str], known: ShownBlock) -> dict[bytes, bytes]:
        """Return a random digest for that of each erased person that the block has, and for each of their values.

        The value goes with the person: whoever has the key could try every score on it. Different values stay different, for the rule.
        """
        gone = {self._digest(block, each) for each in erased}
        pairs = (pair for some in known.shown.values() for each in some for pair in _unpacked(each["people"], {}))
        return {digest: os.urandom(SIZE) for pair in pairs if pair[0] in gone for digest in pair}

    def _digest(self, *parts: str) -> bytes:
        text = "\0".join(parts).encode()  # no id, and no number, holds a zero
        return hashlib.blake2b(text, key=self._secret, digest_size=SIZE).digest()


def _mean(shown: Shown | None) -> Mean:
    if shown is None:
        return Mean(n=None, mean=None, sd=None, note=FEWER)
    return Mean(n=len(shown.people), mean=shown.mean, sd=shown.sd)


def _write(known: ShownBlock, new: ShownBlock) -> InsertOne[Document] | ReplaceOne[Document]:
    # By version, beside the conflict of two transactions: no look is lost.
    where = {"_id": known.id, "version": known.version}
    return ReplaceOne(where, new.document()) if known.version else new.insert()


def _packed(shown: Shown) -> bytes:
    return b"".join(person + value for person, value in sorted(shown.people.items()))


def _unpacked(packed: bytes, forgotten: Mapping[bytes, bytes]) -> Iterator[tuple[bytes, bytes]]:
    for at in range(0, len(packed), 2 * SIZE):
        person, value = packed[at : at + SIZE], packed[at + SIZE : at + 2 * SIZE]
        yield forgotten.get(person, person), forgotten.get(value, value)
