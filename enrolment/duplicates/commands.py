"""Judgements on two records, and the end of one of them when its day has come.

Invariants: a merge decides again at its end by what is there then: who got a seat meanwhile, or was erased, is not merged. Consents of
both records count by their day in the world.
"""

from datetime import datetime

from enrolment.commands import CARD, note, publish_card
from enrolment.domain import Worker, refuse_merge
from services.contracts.base import Id
from services.contracts.enrolment import Purpose
from services.contracts.topics import CONTACTS
from services.kernel import Command, Refused
from services.store.work import Work


class Merge(Command):
    """The record of the worker is to end in that of `into`: they are one person."""

    worker: Id
    into: Id


async def merge(command: Merge, work: Work) -> dict[str, datetime]:
    """Plan the merge, and give the moment at which it is said. Refused: no-such-worker, same-record, merged, erased, two-seats, seat-ends,
    merging-already."""
    ends, into = await work.get(Worker, command.worker), await work.get(Worker, command.into)
    due = ends.merge(into, work.now)
    for each in (ends, into):
        await note(each, work)
    return {"due": due}


class Part(Command):
    """The two records are of two people."""

    worker: Id
    other: Id


async def part(command: Part, work: Work) -> None:
    """Record it, so that nobody is asked again. Refused: no-such-worker, same-record, merged, erased, merging-already."""
    one, other = await work.get(Worker, command.worker), await work.get(Worker, command.other)
    one.part(other, work.now)
    for each in (one, other):
        await note(each, work)


class Undo(Command):
    """A judgement on two records is taken back."""

    worker: Id
    other: Id


async def undo(command: Undo, work: Work) -> None:
    """Take back a merge that was not said yet, or that they are two people. Refused: no-such-worker, merged, erased, not-judged."""
    one, other = await work.get(Worker, command.worker), await work.get(Worker, command.other)
    # The record that was to end keeps the plan.
    first, second = (other, one) if other.merging and other.merging.into == one.id else (one, other)
    first.undo(second, work.now)
    for each in (one, other):
        await note(each, work)


class EndMerged(Command):
    """The day of a planned merge may be over."""

    worker: Id


async def end_merged(command: EndMerged, work: Work) -> dict[str, bool]:
    """Say the merge, unless it was taken back, or cannot be any more: then the two are judged anew. Gives `ended`."""
    ends = await work.find(Worker, command.worker)
    if ends is None or ends.merging is None or ends.merging.due > work.now:
        return {"ended": False}
    into = await work.get(Worker, ends.merging.into)
    if not _still_possible(ends, into):
        ends.undo(into, work.now)
        return {"ended": False}
    ends.end_in(into)
    later = {purpose for purpose, told in ends.consents.items() if _counts(told.at, into, purpose)}
    for purpose in sorted(later):
        told = ends.consents[purpose]
        into.consent(purpose, told.given, told.notice, told.language, told.at, told.how)
    if not CARD.isdisjoint(later):
        await publish_card(into, work, later)
    work.publish_table(CONTACTS, ends, None)
    return {"ended": True}


def _still_possible(ends: Worker, into: Worker) -> bool:
    """Judge the merge as if neither record knew of it."""
    ends_free = ends.model_copy(update={"merging": None})
    into_free = into.model_copy(update={"expects": tuple(each for each in into.expects if each != ends.id)})
    try:
        refuse_merge(ends_free, into_free)
    except Refused:
        return False
    return True


def _counts(at: datetime, into: Worker, purpose: Purpose) -> bool:
    before = into.consents.get(purpose)
    return before is None or before.at < at
