"""What a restore could not mend, told so that an operator can act on it.

What other events had caused is mended by the services, which take those events again. What somebody had done by a command is known on the
bus and to others, and not in the state of the service that did it: that is listed, subject by subject.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime

from pydantic import BaseModel

from services.operations.backup.restore import Done
from services.store.clock import now_utc
from services.store.mongo import Document, Store

SHOWN = 20  # subjects on the screen; all of them are in the file
KEYLESS = "If there is a file of keys that has theirs, restore again, with --replace and --keys FILE; else erase them and refer them again."
ADVICE: dict[str, str] = {
    "worker.referred": "their name is gone, unless they had consented to be contacted: if it is, erase them and refer them again",
    "facilitator.registered": "register the facilitator again: where they are and when they are free is not known",
    "session.held": "call the roll of this meeting again",
    "attendance.recorded": "call the roll of that day's meeting again",
    "survey.submitted": "the answers are lost, the scores are not: nothing to do, and the link may be used once more",
    "survey.scored": "belongs to the survey",
}
MENDED = {  # by the restore, and by the services when they start (`replay.py` of each)
    "worker.erased", "worker.profiled", "consent.changed", "worker.admitted", "worker.declined", "worker.withdrawn", "place.registered",
    "group.formed", "facilitator.assigned", "member.joined", "pair.wished", "message.sent",
    "message.failed",
}  # fmt: skip


class Event(BaseModel):
    """Something that was said. `sequence`: its place in its subject's row on that topic."""

    type: str
    sequence: int
    at: datetime


class Lost(BaseModel):
    """A subject that lacks in its service's state what was done by commands since the backup. `todo`: what mends it."""

    service: str
    programme: str
    topic: str
    subject: str
    events: list[Event]
    todo: list[str]


class Told(BaseModel):
    """The report."""

    backup: datetime
    restored: datetime
    services: list[str]
    events_from_the_bus: dict[str, int]
    erased_since: int
    keys: int
    keyless: list[str]
    notes: list[str]
    conflicts: list[dict[str, str | int]]
    lost: list[Lost]

    def lines(self) -> Iterator[str]:
        """For the screen."""
        came, moment = sum(self.events_from_the_bus.values()), f"{self.backup:%Y-%m-%d %H:%M:%S} UTC"
        start = "Look at this before services are started:" if self.keyless else "The services can be started."
        yield f"{', '.join(self.services)}: restored as of {moment}. {start}"
        if self.keyless:
            yield f"{len(self.keyless)} PEOPLE HAVE NO KEY, and what is kept of them cannot be read. {KEYLESS}"
        yield f"{came} later events came back from the bus, and {self.keys} people's keys; {self.erased_since} erased since stay erased."
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


async def told(done: Done, stores: Mapping[str, Store]) -> Told:
    """What it did and could not do."""
    imported = done.imported.values()
    return Told(
        backup=done.manifest.made,
        restored=now_utc(),
        services=list(stores),
        events_from_the_bus={topic: n for each in imported for topic, n in each.events.items()},
        erased_since=done.erased,
        keys=done.keys,
        keyless=done.keyless,
        notes=done.notes,
        conflicts=[fork for each in imported for fork in each.forks],
        lost=[lost for service, store in stores.items() async for lost in _lost(service, store)],
    )


async def _lost(service: str, store: Store) -> AsyncIterator[Lost]:
    async for each in store["recalled"].find({"lost": {"$exists": True}}).sort("_id", 1):
        if (lost := _of(service, each)).events:
            yield lost


def _of(service: str, recalled: Document) -> Lost:
    told = [Event(type=_short(each["type"]), sequence=each["sequence"], at=each["at"]) for each in recalled["lost"]]
    events = [each for each in told if each.type not in MENDED]
    todo = dict.fromkeys(ADVICE.get(each.type, "look what it lacks") for each in events)
    place = {name: recalled[name] for name in ("topic", "subject")}
    return Lost(service=service, programme=recalled["programme"], **place, events=events, todo=list(todo))


def _short(type: str) -> str:
    return ".".join(type.split(".")[3:5])
