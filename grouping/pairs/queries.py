"""The read of the wishes about one person.

It runs like a command, since it needs the keys of both people, and since it is written to the access log before anything is shown. It
changes no aggregate.
"""

from grouping.domain import Seeker
from grouping.wishes import pairs_of, wish_of
from services.contracts.base import Id
from services.kernel import Command
from services.store.work import Work


class PairsOf(Command):
    """The wishes about `worker`, for a reader with this subject and role."""

    worker: Id
    who: str
    role: str


async def wishes_about(query: PairsOf, work: Work) -> list[dict[str, str]]:
    """Each mate and the wish. Refused: no-such-seeker."""
    await work.get(Seeker, query.worker)
    await work.note_access(query.worker, query.who, query.role, "pairs")
    wishes = [(pair, await wish_of(pair, work)) for pair in await pairs_of([query.worker], work)]
    shown = [(pair.other if pair.one == query.worker else pair.one, wish) for pair, wish in wishes if wish]
    # A wish is about both people, so the read is in the log of each.
    for mate, _ in shown:
        await work.note_access(mate, query.who, query.role, "pairs")
    return [{"mate": mate, "wish": wish.value} for mate, wish in shown]
