"""Two people of the pool who are to sit apart, or together: entered by an operator, read by nobody but the formation.

Invariant: what is asked of them is only kept sealed under the keys of both, so that it ends with the erasure of either; and its length
tells nothing.
"""

from collections.abc import Iterable

from grouping.domain import Pair, Seeker
from services.contracts.base import Id
from services.contracts.grouping import PairWished, Wish
from services.kernel import Command, Refusal, Refused
from services.store.work import Work

WIDTH = max(len(each) for each in Wish)


class Ask(Command):
    """That two people sit apart or together; None: no longer."""

    worker: Id
    mate: Id
    wish: Wish | None


async def ask(command: Ask, work: Work) -> None:
    """Both are guarded, so that nobody gives them seats meanwhile. Where they sit already, they stay."""
    if command.worker == command.mate:
        raise Refused("same-person", "A pair is of two people.", Refusal.INVALID)
    for each in (command.worker, command.mate):
        if not (await work.get(Seeker, each)).waits:
            raise Refused("not-in-the-pool", f"Worker {each} is not in the pool.", worker=each)
    new = Pair.of(command.worker, command.mate)
    pair = await work.find(Pair, new.id)
    if command.wish is None and (pair is None or pair.wish is None):
        raise Refused("no-such-pair", "Nothing is asked of these two.", Refusal.NOT_FOUND)
    if pair is None:
        pair = new
        work.add(pair)
    if command.wish is not await wish_of(pair, work):
        told = await work.seal(pair.other, "pair", command.wish.ljust(WIDTH)) if command.wish else None
        pair.ask(await kept(pair.one, told, work), told)


async def kept(one: str, told: str | None, work: Work) -> str | None:
    """As it is stored, from what the event tells."""
    return await work.seal(one, "pair", told) if told else None


async def kept_again(told: PairWished, work: Work) -> None:
    """What an event tells, in a database that may be older; nothing where the other is erased. The last one counts."""
    try:
        await work.key(told.other)
    except Refused:
        return
    new = Pair.of(told.one, told.other)
    pair = await work.find(Pair, new.id)
    if pair is None:
        pair = new
        work.add(pair)
    pair.keep(await kept(pair.one, told.wish, work))


async def wish_of(pair: Pair, work: Work) -> Wish | None:
    """What is asked of them, if anything."""
    if pair.wish is None:
        return None
    told = await work.unseal(pair.one, "pair", pair.wish)
    return Wish((await work.unseal(pair.other, "pair", told)).strip())


async def pairs_of(workers: list[str], work: Work) -> list[Pair]:
    """Every pair that one of them is in, guarded."""
    pairs = [*await work.where(Pair, one=workers), *await work.where(Pair, other=workers)]
    return list({each.id: each for each in pairs}.values())


async def asked_of(pairs: Iterable[Pair], known: set[str], work: Work) -> dict[str, list[tuple[str, str]]]:
    """Who of those that are known is to sit apart and who together, as a formation problem has it."""
    found: dict[str, list[tuple[str, str]]] = {wish.value: [] for wish in Wish}
    for pair in pairs:
        if {pair.one, pair.other} <= known and (wish := await wish_of(pair, work)):
            found[wish.value].append((pair.one, pair.other))
    return found


class Look(Command):
    """Somebody reads with whom a person is to sit, or not: written down before it is shown."""

    worker: Id
    who: str
    role: str


async def look(command: Look, work: Work) -> list[dict[str, str]]:
    """What is asked of them and whom."""
    await work.get(Seeker, command.worker)
    await work.note_access(command.worker, command.who, command.role, "pairs")
    asked = [(pair, await wish_of(pair, work)) for pair in await pairs_of([command.worker], work)]
    return [
        {"mate": pair.other if pair.one == command.worker else pair.one, "wish": wish.value}
        for pair, wish in asked
        if wish
    ]
