"""The read of the wishes about one person. It is in the logs of both people of each wish before anything is shown."""

from grouping.domain import Seeker
from grouping.wishes import pairs_of, wish_of
from services.contracts.base import Id
from services.kernel import Refusal, Refused
from services.store.work import Work


async def wishes_about(work: Work, worker: Id) -> list[dict[str, str]]:
    """Each mate and the wish. Refused: no-such-seeker."""
    if await work.peek(Seeker, worker) is None:
        raise Refused("no-such-seeker", f"There is no seeker {worker}.", Refusal.NOT_FOUND)
    work.reads_for("pairs")
    # Also of a person about whom nothing is asked: that is told, too.
    work.note_access(worker)
    wishes = [(pair, await wish_of(pair, work)) for pair in await pairs_of([worker], work, guarded=False)]
    shown = [(pair.other if pair.one == worker else pair.one, wish) for pair, wish in wishes if wish]
    return [{"mate": mate, "wish": wish.value} for mate, wish in shown]
