"""Report of a restore: its numbers, and the state that it could not rebuild, with advice for the operator.

A service rebuilds by itself what other events had caused, since it takes those events again. The effect of a command since the backup is on
the bus, and not in the state of the service that ran it. The report lists these effects by subject.
"""

import importlib
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime
from functools import cache
from importlib.util import find_spec

from pydantic import BaseModel

from services.operations.backup.restore import RestoreOutcome
from services.store.clock import now_utc
from services.store.mongo import Document, Store

SHOWN = 20  # subjects on the screen; all of them are in the file
NO_KEY_ADVICE = (
    "If a file of keys has theirs, restore again, with --replace and --keys FILE; else erase them and refer them again."
)
ADVICE: dict[str, str] = {
    "worker.referred": "their name is gone, unless they had consented to be contacted: if it is, erase them and refer them again",
    "facilitator.registered": "register the facilitator again: where they are and when they are free is not known",
    "session.held": "call the roll of this meeting again",
    "attendance.recorded": "call the roll of that day's meeting again",
    "survey.submitted": "the answers are lost, the scores are not: nothing to do, and the link may be used once more",
    "survey.scored": "belongs to the survey",
    "worker.corrected": "the corrected name is gone, unless they had consented to be contacted: look, and correct it again",
}
# Rebuilt by the restore itself, and by reactions; the rest by the `replay.py` of each service.
REBUILT = {"worker.erased", "pair.wished", "message.sent", "message.failed"}


class Event(BaseModel):
    """An event on the bus. `sequence`: its number among the events of its subject on that topic."""

    type: str
    sequence: int
    at: datetime


class Lost(BaseModel):
    """A subject whose state lacks the effects of commands since the backup. `todo`: advice for the operator."""

    service: str
    programme: str
    topic: str
    subject: str
    events: list[Event]
    todo: list[str]


class RestoreReport(BaseModel):
    """The report of one restore, as it is written to a file."""

    backup: datetime
    restored: datetime
    services: list[str]
    events_from_the_bus: dict[str, int]
    erased_since: int
    refused_since: int
    all_refused: bool
    keys: int
    keyless: list[str]
    notes: list[str]
    conflicts: list[dict[str, str | int]]
    lost: list[Lost]

    def lines(self) -> Iterator[str]:
        """Give the lines for the terminal, at most SHOWN subjects."""
        came, moment = sum(self.events_from_the_bus.values()), f"{self.backup:%Y-%m-%d %H:%M:%S} UTC"
        start = "Look at this before services are started:" if self.keyless else "The services can be started."
        yield f"{', '.join(self.services)}: restored as of {moment}. {start}"
        if self.keyless:
            yield f"{len(self.keyless)} PEOPLE HAVE NO KEY, and what is kept of them cannot be read. {NO_KEY_ADVICE}"
        yield f"{came} later events came back from the bus, and {self.keys} people's keys; {self.erased_since} erased since stay erased."
        if self.refused_since:
            yield f"{self.refused_since} refusals of consents came from a register, and count."
        yield from self.notes
        for each in self.conflicts:
            place = f"{each['subject']} on {each['topic']} at sequence {each['sequence']}"
            yield f"CONFLICT of {place}: the bus has event {each['bus']}, the backup {each['backup']}."
        if self.lost:
            yield f"{len(self.lost)} subjects lack what was done since, and nobody but you can do it again:"
        for lost in self.lost[:SHOWN]:
            yield f"  {lost.service} {lost.subject}: {'; '.join(lost.todo)}"
        if len(self.lost) > SHOWN:
            yield f"  … and {len(self.lost) - SHOWN} more"


async def report_of(outcome: RestoreOutcome, stores: Mapping[str, Store]) -> RestoreReport:
    """Build the report from the outcome and from the databases."""
    imported = outcome.imported.values()
    return RestoreReport(
        backup=outcome.manifest.made,
        restored=now_utc(),
        services=list(stores),
        events_from_the_bus={topic: n for each in imported for topic, n in each.events.items()},
        erased_since=outcome.erased,
        refused_since=outcome.refused,
        all_refused=outcome.closed is not None,
        keys=outcome.keys,
        keyless=outcome.keyless,
        notes=outcome.notes,
        conflicts=[fork for each in imported for fork in each.forks],
        lost=[lost for service, store in stores.items() async for lost in _lost(service, store)],
    )


async def _lost(service: str, store: Store) -> AsyncIterator[Lost]:
    async for each in store["recalled"].find({"lost": {"$exists": True}}).sort("_id", 1):
        if (lost := lost_of(service, each)).events:
            yield lost


def lost_of(service: str, recalled: Document) -> Lost:
    """Give what a subject of this service lacks, as `recalled` notes it. `events` is empty where the service mends it all."""
    known = [Event(type=_short(each["type"]), sequence=each["sequence"], at=each["at"]) for each in recalled["lost"]]
    rebuilt = REBUILT | (replayed_by(service) - ADVICE.keys())
    events = [each for each in known if each.type not in rebuilt]
    todo = dict.fromkeys(ADVICE.get(each.type, "compare it with the events and correct it") for each in events)
    place = {name: recalled[name] for name in ("topic", "subject")}
    return Lost(service=service, programme=recalled["programme"], **place, events=events, todo=list(todo))


@cache
def replayed_by(service: str) -> set[str]:
    """Short names of the event types that this service applies again at its start. Some need advice all the same: a name is in no event."""
    module = f"{service}.replay"
    if find_spec(module) is None:
        return set()
    table = getattr(importlib.import_module(module), "replays", None)
    return {_short(each) for each in table.handlers} if table else set()


def _short(type: str) -> str:
    return ".".join(type.split(".")[3:5])
