"""The command by which an operator asks that two people of the pool sit apart or together, or no longer asks it."""

from grouping.domain import Pair, Seeker
from grouping.wishes import sealed_for_one, sealed_for_other, wish_of
from services.contracts.base import Id
from services.contracts.grouping import Wish
from services.kernel import Command, Refusal, Refused
from services.store.work import Work


class Ask(Command):
    """A wish for two people; None ends it."""

    worker: Id
    mate: Id
    wish: Wish | None


async def ask(command: Ask, work: Work) -> None:
    """Keep the wish. Both people are guarded, so that no other command gives them seats meanwhile; seats that they have stay.
    Refused: same-person, no-such-seeker, not-in-the-pool, no-such-pair."""
    await _both_wait(command, work)
    work.reads_for("pairs")
    # Also where nothing is unsealed: the answer tells if anything is asked of them.
    work.note_access(command.worker, command.mate)
    new = Pair.of(command.worker, command.mate)
    pair = await work.find(Pair, new.id)
    if command.wish is None and (pair is None or pair.wish is None):
        raise Refused("no-such-pair", "Nothing is asked of these two.", Refusal.NOT_FOUND)
    if pair is None:
        pair = new
        work.add(pair)
    if command.wish is not await wish_of(pair, work):
        published = await sealed_for_other(pair, command.wish, work)
        pair.ask(await sealed_for_one(pair, published, work), published)


async def _both_wait(command: Ask, work: Work) -> None:
    if command.worker == command.mate:
        raise Refused("same-person", "A pair is of two people.", Refusal.INVALID)
    for each in (command.worker, command.mate):
        if not (await work.get(Seeker, each)).waits:
            raise Refused("not-in-the-pool", f"Worker {each} is not in the pool.", worker=each)
