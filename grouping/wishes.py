"""The stored wishes for two people: sealed, read, and found for the people whom they concern.

Invariants: a wish is kept only sealed under the keys of both, so that it ends with the erasure of either. Its length tells nothing. Only
the formation and an operator who asks read it.
"""

from collections.abc import Iterable, Sequence

from grouping.domain import Pair
from services.contracts.grouping import PairWished, Wish
from services.kernel import Refused
from services.store.work import Work

WIDTH = max(len(each) for each in Wish)  # characters to which every wish is padded


async def sealed_for_other(pair: Pair, wish: Wish | None, work: Work) -> str | None:
    """The wish sealed under the key of `other`, as the event holds it. All wishes are equally long, and the payload is padded: with more
    padding here, a payload with a wish would be longer than one without."""
    return await work.seal(pair.other, "pair", wish.ljust(WIDTH), padded=False) if wish else None


async def sealed_for_one(pair: Pair, published: str | None, work: Work) -> str | None:
    """The wish of the event sealed once more, under the key of `one`, as it is stored."""
    return await work.seal(pair.one, "pair", published) if published else None


async def wish_of(pair: Pair, work: Work) -> Wish | None:
    """The wish in the clear, or None when nothing is asked."""
    if pair.wish is None:
        return None
    published = await work.unseal(pair.one, "pair", pair.wish)
    return Wish((await work.unseal(pair.other, "pair", published)).strip())


async def keep_again(event: PairWished, work: Work) -> None:
    """Store the wish of an event in a database that may be older. Nothing when the other person is erased. The last event counts."""
    try:
        await work.key(event.other)
    except Refused:
        return
    new = Pair.of(event.one, event.other)
    pair = await work.find(Pair, new.id)
    if pair is None:
        pair = new
        work.add(pair)
    pair.keep(await sealed_for_one(pair, event.wish, work))


async def hand_on(ended: str, into: str, work: Work) -> None:
    """Let the wishes about a record that ended hold for the one that goes on, unless that one has a wish about the same person."""
    for pair in await pairs_of([ended], work):
        wish = await wish_of(pair, work)
        new = Pair.of(into, pair.other if pair.one == ended else pair.one)
        if wish is not None and new.one != new.other and await work.find(Pair, new.id) is None:
            work.add(new)
            published = await sealed_for_other(new, wish, work)
            new.ask(await sealed_for_one(new, published, work), published)
        work.remove(pair)


async def pairs_of(workers: Sequence[str], work: Work, *, guarded: bool = True) -> list[Pair]:
    """Every pair that one of them is in; not `guarded` for a read."""
    read = work.where if guarded else work.browse
    pairs = [*await read(Pair, one=[*workers]), *await read(Pair, other=[*workers])]
    return list({each.id: each for each in pairs}.values())


async def asked_of(pairs: Iterable[Pair], known: set[str], work: Work) -> dict[str, list[tuple[str, str]]]:
    """The pairs of two known workers by wish, as a formation problem names them: `apart` and `together`."""
    found: dict[str, list[tuple[str, str]]] = {wish.value: [] for wish in Wish}
    for pair in pairs:
        if {pair.one, pair.other} <= known and (wish := await wish_of(pair, work)):
            found[wish.value].append((pair.one, pair.other))
    return found
