"""Counts the effects of the services' events on each other: none is doubled and none is missing.

Each admitted worker is on the waiting list once, in one group once, on one roster once, gets one invitation and one message; no room and
no facilitator is given away twice; each aggregate has counted as many events as the outbox holds.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.system.chaos.oracle.evidence import Finding
from tests.system.chaos.oracle.reading import EVENTS
from tests.system.chaos.oracle.world import World

AGGREGATES = {
    "enrolment": ("worker",),
    "grouping": ("seeker", "place", "facilitator", "group"),
    "sessions": ("roster", "session", "participant", "survey"),
    "notifications": ("venue", "calendar", "recipient", "message", "known", "feed", "entry"),
}
MEETINGS = 18
ZONE = ZoneInfo("Europe/Rome")  # of the programme
FIRST_WAVE = ("ama-own",)  # instruments of T0, which is due on admission


def judge(world: World) -> Iterator[Finding]:
    """Check every kind of effect."""
    yield from _once(world)
    yield from _seats(world)
    yield from _rosters(world)
    yield from _messages(world)
    yield from _tables(world)
    yield from _counts(world)


def _compared(
    what: str, there: Mapping[Any, int], least: Mapping[Any, int], most: Mapping[Any, int]
) -> Iterator[Finding]:
    for key in sorted({*there, *least}):
        number = there.get(key, 0)
        if number < least.get(key, 0):
            yield Finding("lost", f"{what} of {key}: {number} times, at least {least[key]} are due")
        elif number > most.get(key, 0):
            yield Finding("doubled", f"{what} of {key}: {number} times, at most {most.get(key, 0)} are due")


def _once(world: World) -> Iterator[Finding]:
    """Check the waiting list and the first wave of surveys. A worker who left may have left before either."""
    admitted = {each.subject for each in world.of("worker.admitted")}
    left = {each.subject for each in world.of("worker.withdrawn", "worker.erased")}
    listed = Counter(each.subject for each in world.of("worker.waitlisted"))
    unlisted = Counter(each.subject for each in world.of("worker.unlisted"))
    yield from _compared("waiting", listed, dict.fromkeys(admitted - left, 1), dict.fromkeys(admitted, 1))
    due = {each: number for each, number in listed.items() if each in left}
    yield from _compared("leaving the list", unlisted, due, due)
    invited = Counter((e.data["worker"], e.data["instrument"], e.data["wave"]) for e in world.of("survey.invited"))
    asked = {(worker, instrument, "T0"): 1 for worker in admitted for instrument in FIRST_WAVE}
    stay = {key: 1 for key in asked if key[0] not in left}
    yield from _compared("invitations", invited, stay, asked)


def _seats(world: World) -> Iterator[Finding]:
    """Check grouping's events: nobody is in two groups, no room and no facilitator is given away twice."""
    left = {each.subject for each in world.of("worker.withdrawn", "worker.erased")}
    joined = Counter(each.data["worker"] for each in world.of("member.joined"))
    yield from _compared("seats", joined, {}, dict.fromkeys(joined, 1))
    gone = Counter(each.data["worker"] for each in world.of("member.left"))
    due = {each: 1 for each in joined if each in left}
    yield from _compared("seats given up", gone, due, due)
    groups = world.of("group.formed")
    rooms = {each.subject: each.data["rooms"] for each in world.of("place.registered")}
    leads = {each.subject: each.data["groups"] for each in world.of("facilitator.registered")}
    used = Counter((each.data["place"], each.data["slot"]) for each in groups)
    yield from _compared("groups in the room", used, {}, {key: rooms.get(key[0], 0) for key in used})
    led = Counter(each.data["facilitator"] for each in groups)
    yield from _compared("groups that are led", led, {}, leads)


def _rosters(world: World) -> Iterator[Finding]:
    """Check sessions: eighteen for each group, and each member on the roster once."""
    groups = [each.subject for each in world.of("group.formed")]
    meetings = Counter((e.data["group"], e.data["number"]) for e in world.of("session.scheduled"))
    due = {(group, number): 1 for group in groups for number in range(1, MEETINGS + 1)}
    yield from _compared("scheduling", meetings, due, due)
    rosters = world.documents.all("sessions", "roster")
    there = Counter((each["state"]["id"], m["worker"]) for each in rosters for m in each["state"]["members"])
    joined = {
        (e.subject, e.data["worker"]): 1 for e in world.of("member.joined") if e.data["worker"] not in world.erased
    }
    yield from _compared("the roster", there, joined, joined)
    until = {(each["state"]["id"], m["worker"]): m["until"] for each in rosters for m in each["state"]["members"]}
    left = {(e.subject, e.data["worker"]): e.data["since"] for e in world.of("member.left")}
    for key in joined:
        if until.get(key) != left.get(key):
            yield Finding("other", f"the roster of {key}: until {until.get(key)} instead of {left.get(key)}")


def _messages(world: World) -> Iterator[Finding]:
    """Check messages: one to each worker with a seat in a group that has not met yet and with consent to contact, and at most one about the
    first survey; sent once and arrived."""
    now = date.fromisoformat(f"{datetime.now(ZONE):%Y-%m-%d}")
    contact = {e.subject: e.data["given"] for e in world.of("consent.changed") if e.data["purpose"] == "contact"}
    left = {each.subject for each in world.of("worker.withdrawn", "worker.erased")}
    first = {each.subject: date.fromisoformat(each.data["first"]) for each in world.of("group.formed")}
    ahead = {
        (e.data["worker"], e.subject): 1
        for e in world.of("member.joined")
        if contact.get(e.data["worker"]) and first[e.subject] > now
    }
    due = {key: 1 for key in ahead if key[0] not in left}
    asked = {(e.data["worker"], e.subject): 1 for e in world.of("survey.invited") if contact.get(e.data["worker"])}
    told = [(e.data["about"], e.data["worker"], e.data["reference"]) for e in world.of("message.sent")]
    seats = Counter((worker, reference) for about, worker, reference in told if about == "seat")
    yield from _compared("messages sent", seats, due, ahead)
    links = Counter((worker, reference) for about, worker, reference in told if about == "survey")
    yield from _compared("links sent", links, {}, asked)
    states = [each["state"] for each in world.documents.all("notifications", "message")]
    kept = Counter((each["worker"], each["reference"]) for each in states if each["about"] == "seat")
    yield from _compared("messages", kept, due, ahead)
    open_tokens = [each["id"] for each in states if each["status"] not in {"held", "queued"} and each.get("sealed")]
    yield from (Finding("other", f"message {each} still has its token") for each in open_tokens)
    by_recipient: dict[str, set[str]] = defaultdict(set)
    for id, to in world.evidence.messages:
        by_recipient[to].add(id)
    for to, ids in by_recipient.items():
        if len(ids) > 2:  # about the seat, and about the first survey
            yield Finding("doubled", f"{to} got {len(ids)} messages that are not repetitions")
    arrived = sum(map(len, by_recipient.values()))
    if arrived < len(told):
        yield Finding("lost", f"{len(told)} messages were sent, and {arrived} arrived")


def _tables(world: World) -> Iterator[Finding]:
    """Check keys and contact cards: those on the bus with the highest sequence, and none of erased persons."""
    for topic, services in (
        ("ama.enrolment.keys", ("grouping", "sessions", "notifications", "analytics")),
        ("ama.enrolment.contacts", ("notifications",)),
    ):
        latest = {r.key: r for r in sorted((r for r in world.bus if r.topic == topic), key=lambda r: r.place[2])}
        wanted = {f"{world.evidence.programme}/{w}": r.value for w, r in latest.items() if w not in world.erased}
        for service in services:
            there = {each["_id"]: each["value"] for each in world.documents.all(service, topic.rpartition(".")[2])}
            for key in sorted(wanted.keys() | there.keys()):
                if wanted.get(key, b"-") != there.get(key, b"-"):
                    yield Finding(
                        "lost" if key not in there else "other", f"{service}: {topic} of {key} is not as on the bus"
                    )


def _counts(world: World) -> Iterator[Finding]:
    """Check that an aggregate has counted as many events of a topic as the outbox holds."""
    for service, nouns in AGGREGATES.items():
        for noun in nouns:
            for document in world.documents.all(service, noun, fields={"sequences": 1, "state.id": 1}):
                for topic, number in document["sequences"].items():
                    said = world.events.get((topic, document["state"]["id"]), []) if topic in EVENTS else None
                    if said is not None and len(said) != number:
                        yield Finding(
                            "lost", f"{noun} {document['_id']} has said {number} on {topic}: {len(said)} are stored"
                        )
