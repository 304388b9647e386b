"""Means of scores as they may be shown, remembered so that every copy, and every later look, shows by the same rule.

Invariants: a person and a value are kept as digests under a key that is derived from the service's own, another one for each block. The
digests of an erased person become random ones in the transaction of the erasure. The collection is no projection: a rebuild does not
touch it, a backup has it, and after a restore it counts as incomplete (`past`).
"""

import hashlib
import os
from collections.abc import Collection, Mapping
from datetime import date

from analytics.disclosure import LEAST, LEAST_OF_ANSWERS, SIDES, Limits, Shown, looked_at, may_stand
from analytics.indicators import BlockKey, Mean, Scored, Wave, mean_of
from analytics.past import Past, conflict, past_of
from analytics.shown_blocks import SIZE, ShownBlock
from services.programmes import Programme
from services.programmes.instruments import load_all
from services.store.mongo import Store, Transaction
from services.store.people import ErasedPerson

SHOWN = {
    "it": "Una media resta quella mostrata per ultima finché una nuova potrebbe far capire le risposte di qualcuno. Dopo un ripristino da "
    "una copia di sicurezza le medie di prima non cambiano più.",
    "en": "A mean stays as it was last shown while a new one could tell how somebody answered. After a restore from a backup, the means of "
    "before do not change any more.",
}
NOT_SHOWN = {
    "it": "Non mostrata: da sola, o insieme ad altre di prima, potrebbe far capire le risposte di qualcuno.",
    "en": "Not shown: alone, or together with earlier ones, it could tell how somebody answered.",
}
Dues = Mapping[tuple[str, str], date]  # by instrument and wave


class Cells:
    """Shows the means of one programme at a time. `secret`: 32 bytes that the service keeps."""

    collection = ShownBlock.collection  # as an erasure reports it

    def __init__(self, secret: bytes) -> None:
        self._secret, self._made = secret, False

    async def begin(self, store: Store) -> None:
        """Bring the memory up to date before any role starts: whoever was erased is in it no more, and a restore is noted."""
        await self._make(store)

        async def begin(transaction: Transaction) -> None:
            if not [each async for each in store[ShownBlock.collection].find({}, {"_id": 1}, session=transaction)]:
                return  # nothing was shown here, or it is all lost: the first look finds out
            await past_of(store, self._digest("past"), transaction)
            erased = [each["_id"] async for each in store[ErasedPerson.collection].find({}, session=transaction)]
            for programme in {each.partition("/")[0] for each in erased}:
                people = [each.partition("/")[2] for each in erased if each.startswith(f"{programme}/")]
                await self._forget(store, programme, people, transaction)

        await store.transaction(begin)

    async def show(
        self, store: Store, rules: Programme, scored: Mapping[BlockKey, Scored], first_due: Dues
    ) -> list[Wave]:
        """Return each block as it may be shown, and remember what is shown."""
        await self._make(store)

        async def look(transaction: Transaction) -> dict[BlockKey, ShownBlock]:
            return await self._look(store, rules, scored, first_due, transaction)

        blocks = await store.transaction(look)
        return [
            Wave(instrument=key[0], wave=key[1], scale=key[2], **{side: _mean(block, side, key) for side in SIDES})
            for key, block in sorted(blocks.items())
        ]

    async def forget(self, store: Store, programme: str, person: str, transaction: Transaction) -> None:
        """Replace every digest of an erased person, and of their values, by a random one."""
        # Also when it holds nothing of them: a look at this moment may be about to.
        await past_of(store, self._digest("past"), transaction)
        await store.write(Past.collection, [conflict()], transaction)
        await self._forget(store, programme, [person], transaction)

    async def count(self, store: Store, programme: str, person: str) -> int:
        """Return the number of blocks that hold something of the person."""
        found = store[ShownBlock.collection].find({"programme": programme})
        blocks = [ShownBlock.of(each) async for each in found]
        return sum(bool(each.digests_of({self._digest(each.id, person)})) for each in blocks)

    async def _make(self, store: Store) -> None:
        if not self._made:
            # Before the transaction: one that makes a collection conflicts with its neighbours.
            await store.make(ShownBlock.collection)
            await store.make(Past.collection)
            self._made = True

    async def _look(
        self,
        store: Store,
        rules: Programme,
        scored: Mapping[BlockKey, Scored],
        first_due: Dues,
        transaction: Transaction,
    ) -> dict[BlockKey, ShownBlock]:
        past = await past_of(store, self._digest("past"), transaction)
        ids = {key: "/".join((rules.id, *key)) for key in scored}
        stored = await store.by_id(ShownBlock.collection, list(ids.values()), transaction)
        found = store[ErasedPerson.collection].find({"programme": rules.id}, {"_id": 1}, session=transaction)
        erased = {each["_id"].partition("/")[2] async for each in found}
        blocks, writes = {}, []
        for key, sides in scored.items():
            known = ShownBlock.of(stored[ids[key]]) if ids[key] in stored else ShownBlock(ids[key], rules.id)
            blocks[key], limits = known, limits_of(key)
            if limits and not known.sealed and not past.covers(rules, *key[:2], first_due.get(key[:2])):
                cells = self._cells(known.id, sides, erased)
                blocks[key] = known.holding(looked_at(known.block(), cells, limits))
                writes += blocks[key].write(known)
        await store.write(ShownBlock.collection, writes, transaction)
        if writes:
            # The rows were read before: an erasure since then is in the register, or conflicts.
            await store.write(Past.collection, [conflict()], transaction)
        return blocks

    def _cells(self, block: str, sides: Scored, erased: Collection[str]) -> dict[str, Shown]:
        """Return the mean of each side as it is, with the digests of its people."""
        found = {}
        for side, everybody in sides.items():
            values = {person: value for person, value in everybody.items() if person not in erased}
            if values:
                people = {
                    self._digest(block, person): self._digest(block, person, repr(value))
                    for person, value in values.items()
                }
                found[side] = Shown(people, mean_of(list(values.values())))
        return found

    async def _forget(self, store: Store, programme: str, people: Collection[str], transaction: Transaction) -> None:
        """Replace the digests. The value goes with the person: whoever has the key could try every score on it. Different values stay
        different, for the rule."""
        writes = []
        found = store[ShownBlock.collection].find({"programme": programme}, session=transaction)
        for block in [ShownBlock.of(each) async for each in found]:
            gone = block.digests_of({self._digest(block.id, each) for each in people})
            writes += block.without({digest: os.urandom(SIZE) for digest in gone}).write(block)
        await store.write(ShownBlock.collection, writes, transaction)

    def _digest(self, *parts: str) -> bytes:
        text = "\0".join(parts).encode()  # no id, and no number, holds a zero
        return hashlib.blake2b(text, key=self._secret, digest_size=SIZE).digest()


def limits_of(key: BlockKey) -> Limits | None:
    """Return the limits of a block; None for a scale that is not known here."""
    instrument = load_all().get(key[0])
    scale = next((each for each in instrument.scales if each.id == key[2]), None) if instrument else None
    if instrument is None or scale is None:
        return None
    answers = len(scale.items) == 1 and not instrument.continuous
    return Limits(LEAST_OF_ANSWERS if answers else LEAST, *instrument.range_of(scale.id))


def _mean(block: ShownBlock, side: str, key: BlockKey) -> Mean:
    present, limits = block.present(side), limits_of(key)
    if present is None or limits is None or not may_stand(*present, limits):
        return Mean(n=None, mean=None, note=NOT_SHOWN)
    return Mean(n=present[0], mean=present[1], note=SHOWN)
