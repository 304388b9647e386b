"""Data that grouping holds of a person, as it is told to them: their place in the pool, wishes about them, and their own seats."""

import orjson

from grouping.domain import Facilitator, Group, Pair, Place, Seeker
from grouping.wishes import pairs_of
from services.store.held import Held, Told
from services.store.work import Work

held = Held(nobody=[Place, Facilitator])


@held.of(Seeker)
async def tell_seeker(person: str, work: Work) -> Told:
    """Since when they wait, with the profile in the clear."""
    found = await work.peek(Seeker, person)
    if found is None:
        return []
    told = found.model_dump(mode="json", exclude={"id", "profile", "trace"})
    told["profile"] = orjson.loads(await work.unseal(person, "profile", found.profile)) if found.profile else None
    return [told]


@held.of(Pair)
async def tell_pairs(person: str, work: Work) -> Told:
    """The wishes about them. The other person stays unnamed: the wish is about both of them."""
    return [{"wish": await _wish(each, work)} for each in await pairs_of([person], work, guarded=False) if each.wish]


async def _wish(pair: Pair, work: Work) -> str:
    # Not noted in the log of the other one: nothing of theirs is told.
    published = await work.unseal(pair.one, "pair", str(pair.wish), told=False)
    return (await work.unseal(pair.other, "pair", published, told=False)).strip()


@held.of(Group)
async def tell_seats(person: str, work: Work) -> Told:
    """Their seats, each with its group. Other members are not told."""
    return [
        {"group": group.id, "slot": group.slot, "place": group.place, "first": group.first.isoformat()}
        | seat.model_dump(mode="json", exclude={"worker"})
        for group in await work.browse(Group, members__worker=[person])
        for seat in group.members
        if seat.worker == person
    ]
