"""Every read model equals the one that the oracle computes from the outboxes, row by row and field by field.

No two topics set the same fact of a row, so the order between topics does not matter.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from tests.system.chaos.oracle.evidence import Finding, Kind
from tests.system.chaos.oracle.reading import Event
from tests.system.chaos.oracle.world import World

Row = dict[str, Any]
Rows = dict[str, Row]
Setting = tuple[str, Row]  # the row's key, and the facts that are set
Telling = Mapping[str, Callable[[Event], Setting]]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _own(**facts: Callable[[Event], Any]) -> Callable[[Event], Setting]:
    """Facts in the row of the event's worker."""
    return lambda e: (e.subject, {"person": e.subject, **{name: fact(e) for name, fact in facts.items()}})


def _member(key: str, **facts: Callable[[Event], Any]) -> Callable[[Event], Setting]:
    """Facts in the row of a worker with a seat; in `key`, {w} is the worker and {g} the group."""

    def tell(e: Event) -> Setting:
        worker = e.data["worker"]
        return key.format(w=worker, g=e.subject), {"person": worker, **{name: fact(e) for name, fact in facts.items()}}

    return tell


def _time(e: Event) -> Any:
    return e.time


def _said(name: str) -> Callable[[Event], Any]:
    return lambda e: e.data.get(name)


def _survey(e: Event, **facts: Any) -> Setting:
    return e.subject, {"person": e.data["worker"], "instrument": e.data["instrument"], "wave": e.data["wave"], **facts}


def _without_days(event: Event) -> dict[str, Any]:
    return {name: value for name, value in event.data.items() if name != "days"}


def _participation(e: Event) -> Setting:
    decided = {"participation": e.data["given"]} if e.data["purpose"] == "participation" else {}
    return e.subject, {"person": e.subject, **decided}


def _told(e: Event, worker: str, what: str, **facts: Any) -> Setting:
    """A row of the history of one person."""
    return e.id, {"person": worker, "worker": worker, "what": what, "at": e.time, "recorded": e.recorded, **facts}


def _history(what: str, *names: str) -> Callable[[Event], Setting]:
    return lambda e: _told(e, e.subject, what, **{name: e.data.get(name) for name in names})


def _assigned(e: Event) -> Setting:
    return e.id, {"group": e.subject, "order": e.sequence, **e.data}


def _seat(sits: bool) -> Callable[[Event], Setting]:
    def tell(e: Event) -> Setting:
        worker = e.data["worker"]
        facts = {"group": e.subject, "since": e.data["since"], "sits": sits, "order": e.sequence}
        return e.id, {"person": worker, "worker": worker, **facts}

    return tell


STEPS: Telling = {
    "worker.referred": _own(worker=lambda e: e.subject, partner=_said("partner"), referred=_time),
    "worker.admitted": _own(admitted=_time),
    "worker.declined": _own(declined=_time),
    "worker.withdrawn": _own(withdrawn=_time),
}
READ_MODELS: dict[tuple[str, str], Telling] = {
    ("enrolment", "history"): {
        "worker.referred": _history("referred", "partner"),
        "worker.admitted": _history("admitted"),
        "worker.declined": _history("declined"),
        "worker.corrected": _history("corrected"),
        "worker.withdrawn": _history("withdrawn", "reason"),
        "consent.changed": lambda e: _told(e, e.subject, "consent", **e.data),
        "worker.waitlisted": _history("waiting"),
        "member.joined": lambda e: _told(e, e.data["worker"], "seated", since=e.data["since"], group=e.subject),
        "member.left": lambda e: _told(e, e.data["worker"], "left", since=e.data["since"], group=e.subject),
    },
    ("enrolment", "leaders"): {"facilitator.assigned": _assigned},
    ("enrolment", "members"): {"member.joined": _seat(True), "member.left": _seat(False)},
    ("grouping", "leaders"): {"facilitator.assigned": _assigned},
    ("sessions", "leaders"): {"facilitator.assigned": _assigned},
    ("sessions", "meetings"): {
        "session.scheduled": lambda e: (
            e.subject,
            {"session": e.subject, "state": "open", **e.data, "starts": _moment(e.data["starts"])},
        ),
        "session.held": lambda e: (
            e.subject,
            {"state": "held", "present": e.data["present"], "absent": e.data["absent"]},
        ),
        "session.moved": lambda e: (e.subject, {"moved": True, **e.data, "starts": _moment(e.data["starts"])}),
        "session.cancelled": lambda e: (e.subject, {"state": "cancelled", "reason": e.data.get("reason") or "ended"}),
    },
    ("sessions", "led"): {
        "group.formed": lambda e: (
            e.subject,
            {"group": e.subject, "meetings": len(e.data["days"])}
            | {name: e.data[name] for name in ("slot", "place", "first")},
        ),
        "facilitator.assigned": lambda e: (e.subject, {"facilitator": e.data["facilitator"]}),
        "group.concluded": lambda e: (e.subject, {"concluded": e.data["on"]}),
    },
    ("grouping", "places"): {"place.registered": lambda e: (e.subject, {"place": e.subject, **e.data})},
    ("sessions", "places"): {
        "place.registered": lambda e: (
            e.subject,
            {"place": e.subject} | {name: e.data[name] for name in ("title", "address", "municipality")},
        ),
    },
    ("enrolment", "desk"): {
        "worker.referred": _own(
            worker=lambda e: e.subject,
            partner=_said("partner"),
            referred=_time,
            asked=_time,
            stage=lambda _: "referred",
            origin=_said("origin"),
        ),
        "worker.admitted": _own(admitted=_time, stage=lambda _: "admitted"),
        "worker.declined": _own(declined=_time, stage=lambda _: "declined"),
        "worker.withdrawn": _own(withdrawn=_time, stage=lambda _: "withdrawn"),
        "consent.changed": _participation,
        "worker.waitlisted": _own(waiting=_time),
        "member.joined": _member("{w}", seated=_said("since"), given=_time),
        "member.left": _member("{w}", left=_said("since")),
    },
    ("grouping", "pool"): {
        "worker.waitlisted": _own(worker=lambda e: e.subject, waits=_time, not_before=_said("not_before")),
        "worker.unlisted": _own(gone=_time),
        "member.joined": _member(
            "{w}/{g}", member=_said("worker"), group=lambda e: e.subject, since=_said("since"), left=lambda _: None
        ),
        "member.left": _member("{w}/{g}", left=_said("since")),
    },
    ("grouping", "groups"): {
        "group.formed": lambda e: (
            e.subject,
            {"group": e.subject, "last": e.data["days"][-1], **_without_days(e)},
        ),
        "facilitator.assigned": lambda e: (e.subject, {"facilitator": e.data["facilitator"]}),
        "group.concluded": lambda e: (e.subject, {"concluded": e.data["on"]}),
    },
    ("sessions", "calendar"): {
        "session.scheduled": lambda e: (
            e.subject,
            {"session": e.subject, **e.data, "starts": _moment(e.data["starts"])},
        ),
        "session.held": lambda e: (
            e.subject,
            {"held": True, "present": e.data["present"], "absent": e.data["absent"]},
        ),
    },
    ("sessions", "leads"): {
        "group.formed": lambda e: (e.subject, {"group": e.subject, "facilitator": e.data["facilitator"]}),
        "facilitator.assigned": lambda e: (e.subject, {"group": e.subject, "facilitator": e.data["facilitator"]}),
    },
    ("analytics", "path"): {
        **STEPS,
        "worker.withdrawn": _own(withdrawn=_time, told=_said("reason")),
        "withdrawal.explained": _own(reason=_said("reason")),
        "decline.explained": _own(decline=_said("reason")),
        "worker.waitlisted": _own(waits=_time, not_before=_said("not_before"), unlisted=lambda _: None),
        "worker.unlisted": _own(unlisted=_time),
        "member.joined": _member(
            "{w}/{g}", member=_said("worker"), group=lambda e: e.subject, since=_said("since"), until=lambda _: None
        ),
        "member.left": _member("{w}/{g}", until=_said("since")),
    },
    ("analytics", "meetings"): {
        "group.formed": lambda e: (f"group/{e.subject}", {"formed": e.subject, **_without_days(e)}),
        "group.concluded": lambda e: (f"group/{e.subject}", {"concluded": e.data["on"]}),
        "session.scheduled": lambda e: (
            e.subject,
            {
                "session": e.subject,
                "group": e.data["group"],
                "number": e.data["number"],
                "starts": _moment(e.data["starts"]),
            },
        ),
        "session.held": lambda e: (
            e.subject,
            {"held": e.data["on"], "present": e.data["present"], "absent": e.data["absent"]},
        ),
    },
    ("analytics", "attendance"): {
        "attendance.recorded": lambda e: (
            f"{e.data['session']}/{e.subject}",
            {"person": e.subject, "group": e.data["group"], "on": e.data["on"], "present": e.data["present"]}
            | {"member": e.data["member"]},
        )
    },
    ("analytics", "scores"): {
        "survey.invited": lambda e: _survey(e, due=e.data["due"]),
        "survey.submitted": lambda e: _survey(e, submitted=e.time),
        "survey.scored": lambda e: _survey(e, scores=e.data["scores"]),
    },
}


def judge(world: World) -> Iterator[Finding]:
    """Check every read model."""
    for (service, name), telling in READ_MODELS.items():
        wanted = computed(world, telling)
        there = {row["_id"]: row for row in world.documents.all(service, f"{name}.g1")}
        for key in sorted(wanted.keys() | there.keys()):
            if wanted.get(key) != there.get(key):
                kind: Kind = "lost" if _lacks(there.get(key), wanted.get(key)) else "other"
                yield Finding(kind, f"{service}.{name} {key}: {there.get(key)} instead of {wanted.get(key)}")


def _lacks(there: Row | None, wanted: Row | None) -> bool:
    return bool(wanted) and (there or {}).keys() < (wanted or {}).keys()


def computed(world: World, telling: Telling) -> Rows:
    """Rows that these events give, without those of erased persons."""
    rows: Rows = defaultdict(dict)
    for events in world.events.values():
        for event in events:
            if event.type in telling and (opened := _opened(world, event)) is not None:
                key, facts = telling[event.type](opened)
                _id = f"{world.evidence.programme}/{key}"
                rows[_id].update({"_id": _id, "programme": world.evidence.programme, **facts})
    return {key: row for key, row in rows.items() if row.get("person") not in world.erased}


def _opened(world: World, event: Event) -> Event | None:
    if not isinstance(event.data, str):
        return event
    person = world.secrets.person(event.data)
    return None if person in world.erased else event._replace(data=world.secrets.open(event.data, person))
