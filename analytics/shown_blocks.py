"""Documents of the collection `cells`: the means of one block that were shown, with digests of the people behind them.

Invariant: a document of before an upgrade is read, and one that is sealed holds no digest.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from analytics.disclosure import SIDES, Block, Shown
from services.store.documents import StoredDocument
from services.store.mongo import Document, InsertOne, ReplaceOne

SIZE = 16  # bytes of a digest
PAIR = 2 * SIZE  # of a person and their value


@dataclass(frozen=True, slots=True)
class ShownBlock(StoredDocument):
    """A block as it is stored. `shown`: by side, each mean that was ever shown, with its people; `now`: the place of the present one.

    `refused`: the people of a side whose mean was refused for its size. `sealed`: the means of now stand for ever, and no digest is kept,
    because nobody knows what else was shown before.
    """

    collection: ClassVar[str] = "cells"

    programme: str
    version: int = 0
    shown: dict[str, list[Document]] = field(default_factory=lambda: {side: [] for side in SIDES})
    now: dict[str, int | None] = field(default_factory=lambda: dict.fromkeys(SIDES))
    refused: dict[str, bytes] = field(default_factory=dict)
    sealed: bool = False

    def block(self) -> Block:
        """Return the block for the rule; not of a sealed one."""
        read = {
            side: [Shown(dict(_unpacked(each["people"])), each["mean"]) for each in some]
            for side, some in self.shown.items()
        }
        return Block(read, self.now, {side: dict(_unpacked(people)) for side, people in self.refused.items()})

    def holding(self, block: Block) -> "ShownBlock":
        """Return the document of this block."""
        written = {
            side: [{"mean": each.mean, "n": len(each.people), "people": _packed(each.people)} for each in some]
            for side, some in block.shown.items()
        }
        refused = {side: _packed(people) for side, people in block.refused.items()}
        return replace(self, shown=written, now=dict(block.now), refused=refused)

    def present(self, side: str) -> tuple[int, float] | None:
        """Return number and mean of what is shown now; None when nothing is."""
        place = self.now[side]
        return None if place is None else _number_and_mean(self.shown[side][place])

    def seal(self) -> "ShownBlock":
        """Return it with the means of now alone, and without a digest."""
        present = {side: self.present(side) for side in SIDES}
        kept = {
            side: [] if each is None else [{"mean": each[1], "n": each[0], "people": b""}]
            for side, each in present.items()
        }
        now = {side: None if each is None else 0 for side, each in present.items()}
        return replace(self, shown=kept, now=now, refused={}, sealed=True)

    def digests_of(self, people: Collection[bytes]) -> set[bytes]:
        """Return those of these digests of people that it holds, and the digests of all their values."""
        return {digest for pair in self._pairs() if pair[0] in people for digest in pair}

    def without(self, replaced: Mapping[bytes, bytes]) -> "ShownBlock":
        """Return it with these digests replaced by others."""

        def other(people: bytes) -> bytes:
            pairs = {replaced.get(a, a): replaced.get(b, b) for a, b in _unpacked(people)}
            return _packed(pairs)

        shown = {
            side: [{**each, "people": other(each["people"])} for each in some] for side, some in self.shown.items()
        }
        return replace(self, shown=shown, refused={side: other(people) for side, people in self.refused.items()})

    def write(self, before: "ShownBlock") -> list[InsertOne[Document] | ReplaceOne[Document]]:
        """Return the writes that store it, one version after the one before; none when nothing has changed."""
        if self == before:
            return []
        following = replace(self, version=before.version + 1)
        # By version, beside the conflict of two transactions: no look is lost.
        where = {"_id": self.id, "version": before.version}
        return [ReplaceOne(where, following.document()) if before.version else following.insert()]

    def _pairs(self) -> Iterator[tuple[bytes, bytes]]:
        for people in (*(each["people"] for some in self.shown.values() for each in some), *self.refused.values()):
            yield from _unpacked(people)


def _number_and_mean(shown: Document) -> tuple[int, float]:
    # Documents of before an upgrade do not have the number.
    return shown.get("n", len(shown["people"]) // PAIR), shown["mean"]


def _packed(people: Mapping[bytes, bytes]) -> bytes:
    return b"".join(person + value for person, value in sorted(people.items()))


def _unpacked(packed: bytes) -> Iterator[tuple[bytes, bytes]]:
    for at in range(0, len(packed), PAIR):
        yield packed[at : at + SIZE], packed[at + SIZE : at + PAIR]
