"""The command that takes the people of a list: all of them in one transaction, each once however often the list comes.

Invariants: the second upload of a list changes nothing; a corrected row corrects the person whom this partner had listed, and nobody
else's. A list brings no consent: people are referred, and decide themselves.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import orjson

from enrolment.commands import Correct, Refer, correct, refer
from enrolment.domain import Status, Worker
from enrolment.facts import Sketch
from services.contracts.base import Slug
from services.contracts.enrolment import Origin
from services.kernel import Command
from services.store.work import Work


class Outcome(StrEnum):
    """The fate of one person of a list."""

    NEW = "new"
    CORRECTED = "corrected"
    SAME = "same"
    CLOSED = "closed"  # their way has gone on: an operator corrects their data


class Row(Command):
    """One person of a list, as `rows.Listed` has them."""

    number: int
    key: str
    card: dict[str, str]
    sketch: Sketch = Sketch()


class TakeList(Command):
    """A partner refers the people of a list."""

    partner: Slug
    rows: tuple[Row, ...]


async def take_list(command: TakeList, work: Work) -> dict[str, int]:
    """Refer those who are new, correct those who changed; how many of each outcome. Refused: as `refer`."""
    work.reads_for("own referrals")
    listed = await _known(command.partner, command.rows, work, guarded=True)
    counts = dict.fromkeys(Outcome, 0)
    for row in command.rows:
        digest = _digest(command.partner, row.key, work)
        outcome, card = await _outcome(listed.get(digest), row, work)
        counts[outcome] += 1
        if outcome is Outcome.NEW:
            made = await refer(Refer(partner=command.partner, card=row.card, origin=Origin.LIST), work)
            worker = await work.get(Worker, made["worker"])
            worker.listed = digest
            await _outline(worker, row.sketch, work)
        elif outcome is Outcome.CORRECTED:
            await correct(Correct(worker=listed[digest].id, card=card), work)
            await _outline(listed[digest], row.sketch, work)
    return {outcome.value: count for outcome, count in counts.items()}


async def foresee(work: Work, partner: str, rows: Sequence[Row]) -> dict[int, Outcome]:
    """Foresee `take_list`, by the number of the row. Nothing changes; the reads are in the people's logs."""
    work.reads_for("own referrals")
    listed = await _known(partner, rows, work, guarded=False)
    return {row.number: (await _outcome(listed.get(_digest(partner, row.key, work)), row, work))[0] for row in rows}


async def _known(partner: str, rows: Sequence[Row], work: Work, *, guarded: bool) -> dict[str, Worker]:
    """The people whom this partner has listed before, by digest: one query, and one for their keys."""
    wanted: Any = [_digest(partner, row.key, work) for row in rows]
    found = await (work.where if guarded else work.browse)(Worker, listed=wanted)
    await work.fetch_keys([each.id for each in found])
    return {each.listed: each for each in found if each.listed is not None}


def _digest(partner: str, key: str, work: Work) -> str:
    return work.lookup_digest("list", f"{partner}\n{key}")


async def _outcome(worker: Worker | None, row: Row, work: Work) -> tuple[Outcome, dict[str, str]]:
    """The outcome, and the whole card after a correction: a list that lacks a field empties nothing."""
    if worker is None:
        return Outcome.NEW, row.card
    before = {name: await work.unseal(worker.id, name, sealed) for name, sealed in worker.card.items()}
    sketched = worker.profile is not None or _lasting(await _sketch(worker, work)) == _lasting(_kept(row.sketch))
    if {**before, **row.card} == before and sketched:
        return Outcome.SAME, before
    if worker.status is not Status.REFERRED:
        return Outcome.CLOSED, before
    return Outcome.CORRECTED, {**before, **row.card}


async def _sketch(worker: Worker, work: Work) -> dict[str, Any]:
    kept: dict[str, Any] = orjson.loads(await work.unseal(worker.id, "sketch", worker.sketch)) if worker.sketch else {}
    return kept


def _kept(sketch: Sketch) -> dict[str, Any]:
    return sketch.model_dump(mode="json", exclude_defaults=True)


def _lasting(kept: dict[str, Any]) -> dict[str, Any]:
    # The months grow by themselves: a list that comes again a month later has not changed.
    return {name: value for name, value in kept.items() if name != "months_out"}


async def _outline(worker: Worker, sketch: Sketch, work: Work) -> None:
    if sketch and worker.profile is None:
        worker.outline(await work.seal(worker.id, "sketch", orjson.dumps(_kept(sketch)).decode()))
