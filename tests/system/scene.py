"""A scene for tests of every route: somebody in a group with a meeting and a survey, a dead letter in each service, and the routes that the
OpenAPI documents of the five services tell of.

Invariant: the routes come from the documents, so that a new one is tried without a change here.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from services.contracts.topics import SERVICES
from services.embedded.home import Home
from services.events.inbox.documents import DeadStatus
from services.identity.auth import Role
from services.store.clock import now_utc
from services.web.frame.addresses import owner_of
from tests.helpers.people import PROGRAMME, People, a_monday
from tests.helpers.waiting import eventually

NOBODY = "nobody-is-this"
DEAD = "reactions/matrix/dead"
# Bodies that are right but for whom they concern: else a wrong body would hide a missing check.
BODIES: dict[str, dict[str, Any]] = {
    "PUT /enrolment/workers/{worker}/card": {"given_name": "Ada", "family_name": "Filo"},
    "PUT /enrolment/workers/{worker}/profile": {"municipality": "monza", "slots": ["mon-evening"]},
    "POST /enrolment/workers/{worker}/consents": {"consents": {"contact": True}, "notice": "2026-09"},
    "POST /enrolment/workers/{worker}/contacts": {"how": "phone", "reached": False},
    "PUT /enrolment/workers/{worker}/interview": {"when": "2027-01-20T10:00:00+01:00"},
    "PUT /enrolment/workers/{worker}/steps/{step}": {"at": "2026-11-30T10:00:00+01:00", "reason": "It was another day"},
    "POST /enrolment/workers/{worker}/withdrawal": {"reason": "other"},
    "POST /enrolment/workers/{worker}/opening": {"reason": "fault"},
    "PUT /enrolment/workers/{worker}/duplicates/{mate}": {"judgement": "different"},
    "PUT /enrolment/services/{service}": {
        "name": "Corso",
        "kind": "training",
        "organization_id": "scuola",
        "organization_name": "Scuola",
    },
    "POST /enrolment/workers/{worker}/signposts": {"service": NOBODY},
    "POST /enrolment/workers/{worker}/requests": {"service": NOBODY},
    "POST /enrolment/requests/{asked}/answer": {"answer": "accepted"},
    "POST /enrolment/requests/{asked}/end": {"ending": "abandoned"},
    "POST /enrolment/workers/{worker}/requests/{asked}/need": {"met": "yes"},
    "PUT /enrolment/workers/{worker}/outcomes/{moment}": {
        "situation": "employed",
        "day": "2026-01-02",
        "left": "2026-01-01",
    },
    "POST /enrolment/complaints": {"text": "Una prova."},
    "POST /enrolment/complaints/{complaint}/answer": {"text": "Una prova."},
    "POST /sessions/groups/{group}/sessions": {"starts": "2027-01-20T18:30:00+01:00", "place": NOBODY},
    "PUT /sessions/sessions/{session}/date": {"starts": "2027-01-20T18:30:00+01:00", "place": NOBODY},
    "POST /sessions/sessions/{session}/cancellation": {"reason": "other"},
    "POST /grouping/groups/{group}/members": {"worker": NOBODY},
    "POST /grouping/groups/{group}/facilitator": {"facilitator": NOBODY, "since": str(a_monday(2))},
    "POST /grouping/groups/{group}/conclusion": {"reason": "too-few"},
    "PUT /grouping/workers/{worker}/pairs/{mate}": {"wish": "apart"},
    "PUT /sessions/sessions/{session}/roll-call": {"present": []},
    "PUT /sessions/workers/{worker}/surveys/{instrument}/{wave}": {"answers": {"i1": 4}},
}
DISMISSAL = {"reason": "a test"}
# Nothing foreign can be named on these: what they write is always of the caller's programme.
OWN_REGISTER = {
    "PUT /grouping/places/{place}",
    "PUT /grouping/facilitators/{facilitator}",
    "PUT /enrolment/services/{service}",
    "POST /enrolment/services/{service}/retirement",  # of the one that the request before has made there
    "DELETE /enrolment/services/{service}/retirement",
    "POST /enrolment/complaints",
}
# It tells an administrator whether a service has heard of an erasure, so it answers of everybody.
ERASURE = "/erasures/{person}"
PAGES = "pages"  # the tag of pages in a document
OPEN = {"/healthz", "/readyz", "/asyncapi.json", "/asyncapi", "/docs", "/openapi.json"}


class _Named(dict[str, str]):
    """Names in a path. What the scene does not have is nobody's."""

    def __missing__(self, name: str) -> str:
        return NOBODY


@dataclass(frozen=True)
class Scene:
    """Somebody in a group of ours with a meeting, somebody who waits for a seat, and a dead letter of our programme in each service."""

    home: Home
    client: httpx.AsyncClient
    name: str
    worker: str
    mate: str
    group: str
    session: str
    waits: str
    asked: str
    complaint: str

    def filled(self, path: str, **other: str) -> str:
        here = {"worker": self.worker, "mate": self.mate, "group": self.group, "session": self.session, "id": DEAD}
        here["person"] = self.worker
        named = {
            "place": self.name,
            "facilitator": f"{self.name}-leader",
            "instrument": "ama-own",
            "wave": "T0",
            "survey": NOBODY,
            "name": "da-incontrare",
            "service": f"corso-{self.name}",
            "asked": self.asked,
            "complaint": self.complaint,
            "moment": "exit",
            "momento": "uscita",
            "step": "admitted",
        }
        return path.format_map(_Named({**here, **named, **other}))

    def token(self, role: str, programme: str = PROGRAMME, subject: str | None = None, partner: str = "cgil") -> str:
        """A token of the one who may do most in a role: the worker themselves, the leader of the group, the partner that referred."""
        ours = {Role.WORKER: self.worker, Role.FACILITATOR: f"{self.name}-leader"}.get(Role(role), role)
        return self.home.token(role, programme, subject or ours, partner)

    async def ask(self, operation: "Operation", token: str | None, **other: str) -> httpx.Response:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        path = self.filled(operation.path, **other)
        query = {name: self.filled(value, **other) for name, value in operation.query.items()}
        return await self.client.request(operation.method, path, headers=headers, params=query, json=operation.body)

    async def look(self, page: "Operation", token: str | None, **other: str) -> httpx.Response:
        """Ask for a page as a browser does; a form is sent empty."""
        headers = {"Accept": "text/html", "Accept-Language": "it"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        path = self.filled(page.path, **other)
        query = {name: self.filled(value, **other) for name, value in page.query.items()}
        form: dict[str, str] | None = {} if page.method == "POST" else None
        return await self.client.request(page.method, path, headers=headers, params=query, data=form)


@dataclass(frozen=True)
class Operation:
    """One operation of a document."""

    method: str
    path: str
    roles: tuple[str, ...]
    own: dict[str, str]
    query: dict[str, str]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def body(self) -> Any:
        if self.method in {"GET", "DELETE"}:
            return None
        return DISMISSAL if self.name.endswith("/dismiss") else BODIES.get(self.name, {})


def operations(home: Home) -> Iterator[Operation]:
    """Every operation for roles that is no page; fails at one that says nothing of its callers."""
    for service, path, method, described in _described(home):
        if PAGES not in described.get("tags", ()) and (roles := described.get("x-roles", [])):
            query = {name: str(a_monday(-1)) for name in _required(described)}
            yield Operation(method.upper(), f"/{service}{path}", tuple(roles), described.get("x-own", {}), query)


def pages(home: Home) -> Iterator[Operation]:
    """Every page and every fragment of one, for roles, at its public address."""
    for service, path, method, described in _described(home):
        if PAGES in described.get("tags", ()) and (roles := described.get("x-roles", [])):
            public = path if owner_of(path) == service else f"/{service}{path}"
            query = {name: f"{{{name}}}" for name in _required(described)}
            yield Operation(method.upper(), public, tuple(roles), described.get("x-own", {}), query)


def open_pages(home: Home) -> Iterator[tuple[str, str]]:
    """Method and address of every page that is open to everybody."""
    for service, path, method, described in _described(home):
        if PAGES in described.get("tags", ()) and "x-open" in described:
            yield method.upper(), path if owner_of(path) == service else f"/{service}{path}"


def _described(home: Home) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    for service in SERVICES:
        for path, item in home.all_services.services[service].app.openapi()["paths"].items():
            for method, described in item.items():
                roles, why = described.get("x-roles", []), described.get("x-open")
                assert bool(roles) != bool(why), f"{method} /{service}{path} says neither its roles nor why it is open"
                yield service, path, method, described


async def _asked(people: People, worker: str, service: str) -> tuple[str, str]:
    """A service, a request to it for this worker, and a complaint of theirs; the ids of the last two."""
    operator, own = people.caller("operator"), people.caller("worker", worker)
    body = BODIES["PUT /enrolment/services/{service}"]
    assert (await operator("PUT", f"/enrolment/services/{service}", body)).status_code == 204
    made = await operator("POST", f"/enrolment/workers/{worker}/requests", {"service": service})
    complained = await own("POST", "/enrolment/complaints", {"text": "Una prova."})
    return made.json()["request"], complained.json()["complaint"]


def _required(described: dict[str, Any]) -> list[str]:
    return [each["name"] for each in described.get("parameters", ()) if each["in"] == "query" and each.get("required")]


@asynccontextmanager
async def played(home: Home, name: str, **card: str) -> AsyncIterator[Scene]:
    """Play the scene, and take its dead letters away at the end. `name`: of its place, another one in each file of tests, since a
    place has few rooms; `card`: of the people in it."""
    people = People(home)
    *members, waits = [await people.admit(**card) for _ in range(11)]

    async def waiting() -> bool:
        pool = (await people.caller("operator")("GET", "/grouping/pool")).json()
        return bool(pool["waiting"] > len(members))

    await eventually(waiting, 200)  # the first use of all services on a machine that is busy
    group = await people.form(members, a_monday(-1), name)
    session = (await people.meetings(group, name))[0]["session"]
    dead_letter = {
        "_id": DEAD,
        "consumer": "reactions",
        "name": "matrix/dead",
        "status": DeadStatus.OPEN.value,
        "why": "a test",
        "at": now_utc(),
        "origin": "ama.enrolment/0/0",
        "intruder": False,
        "history": [],
        "key": None,
        "value": b"{}",
        "subject_key": f"/programmes/{PROGRAMME}/enrolment|matrix",
        "sequence": 1,
        "subject": "matrix",
    }
    stores = [service.store for service in home.all_services.services.values()]
    for store in stores:
        await store["dead"].insert_one(dict(dead_letter))

    async def surveyed() -> bool:
        answer = await people.caller("operator")("GET", f"/sessions/workers/{members[0]}/surveys")
        return answer.status_code == 200 and bool(answer.json())

    await eventually(surveyed)
    asked, complaint = await _asked(people, members[0], f"corso-{name}")
    async with home.client() as client:
        yield Scene(home, client, name, members[0], members[1], group, session, waits, asked, complaint)
    for store in stores:
        await store["dead"].delete_one({"_id": DEAD})
