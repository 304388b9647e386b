"""Each route against each role, programme and owner: what the OpenAPI documents declare is what a stranger meets.

The cases are made from the documents of the five services, so that a new route is tried without a change here. A route that says nothing
of its callers fails. A route that gives a role only its own fails until a foreign id is tried on it.
"""

import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio
from starlette.routing import Mount, Route

from services.contracts.topics import SERVICES
from services.embedded.home import Home
from services.events.inbox.documents import DeadStatus
from services.identity.auth import Role
from services.identity.issuer import Issuer
from services.store.clock import now_utc
from tests.helpers.callers import signed
from tests.helpers.people import OTHER, PROGRAMME, People, a_monday
from tests.helpers.waiting import eventually

NAME, NOBODY = "matrix", "nobody-is-this"
DEAD = "reactions/matrix/dead"
DAY = 24 * 3600.0
# Bodies that are right but for whom they concern: else a wrong body would hide a missing check.
BODIES: dict[str, dict[str, Any]] = {
    "PUT /enrolment/workers/{worker}/profile": {"municipality": "monza", "slots": ["mon-evening"]},
    "POST /enrolment/workers/{worker}/consents": {"consents": {"contact": True}, "notice": "2026-09"},
    "POST /enrolment/workers/{worker}/withdrawal": {"reason": "other"},
    "POST /grouping/groups/{group}/members": {"worker": NOBODY},
    "POST /grouping/groups/{group}/conclusion": {"reason": "too-few"},
    "PUT /grouping/workers/{worker}/pairs/{mate}": {"wish": "apart"},
    "PUT /sessions/sessions/{session}/roll-call": {"present": []},
    "PUT /sessions/workers/{worker}/surveys/{instrument}/{wave}": {"answers": {"i1": 4}},
}
DISMISSAL = {"reason": "a test"}
# Nothing foreign can be named on these: what they write is always of the caller's programme.
OWN_REGISTER = {"PUT /grouping/places/{place}", "PUT /grouping/facilitators/{facilitator}"}
# It tells an administrator whether a service has heard of an erasure, so it answers of everybody.
ERASURE = "/erasures/{person}"
OPEN = {"/healthz", "/readyz", "/asyncapi.json", "/asyncapi", "/docs", "/openapi.json"}


@dataclass(frozen=True)
class Scene:
    """Somebody in a group of ours with a meeting, and a dead letter of our programme in each service."""

    home: Home
    client: httpx.AsyncClient
    worker: str
    mate: str
    group: str
    session: str

    def filled(self, path: str, **other: str) -> str:
        here = {"worker": self.worker, "mate": self.mate, "group": self.group, "session": self.session, "id": DEAD}
        here["person"] = self.worker
        named = {
            "place": NAME,
            "facilitator": f"{NAME}-leader",
            "instrument": "ama-own",
            "wave": "T0",
            "survey": NOBODY,
        }
        return path.format(**{**here, **named, **other})

    def token(self, role: str, programme: str = PROGRAMME, subject: str | None = None, partner: str = "cgil") -> str:
        """A token of the one who may do most in a role: the worker themselves, the leader of the group, the partner that referred."""
        ours = {Role.WORKER: self.worker, Role.FACILITATOR: f"{NAME}-leader"}.get(Role(role), role)
        return self.home.token(role, programme, subject or ours, partner)

    async def ask(self, operation: "Operation", token: str | None, **other: str) -> httpx.Response:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        path = self.filled(operation.path, **other)
        return await self.client.request(
            operation.method, path, headers=headers, params=operation.query, json=operation.body
        )


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
    """Every operation for roles; fails at one that says nothing of its callers."""
    for service in SERVICES:
        for path, item in home.all_services.services[service].app.openapi()["paths"].items():
            for method, described in item.items():
                roles, why = described.get("x-roles", []), described.get("x-open")
                assert bool(roles) != bool(why), f"{method} /{service}{path} says neither its roles nor why it is open"
                if roles:
                    asked = [each for each in described.get("parameters", ()) if each["in"] == "query"]
                    query = {each["name"]: str(a_monday(-1)) for each in asked if each.get("required")}
                    own = described.get("x-own", {})
                    yield Operation(method.upper(), f"/{service}{path}", tuple(roles), own, query)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scene(home: Home) -> AsyncIterator[Scene]:
    people = People(home)
    members = [await people.admit() for _ in range(10)]

    async def waiting() -> bool:
        pool = (await people.caller("operator")("GET", "/grouping/pool")).json()
        return bool(pool["waiting"] >= len(members))

    await eventually(waiting, 200)  # the first use of all services on a machine that is busy
    group = await people.form(members, a_monday(-1), NAME)
    session = (await people.meetings(group, NAME))[0]["session"]
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
    async with home.client() as client:
        yield Scene(home, client, members[0], members[1], group, session)
    for store in stores:
        await store["dead"].delete_one({"_id": DEAD})


def said(answer: httpx.Response) -> tuple[int, str | None]:
    is_problem = answer.headers.get("content-type") == "application/problem+json"
    return answer.status_code, answer.json()["code"] if is_problem else None


async def test_without_a_token_that_is_in_force_no_route_answers(scene: Scene, tmp_path: Path) -> None:
    home = scene.home
    expired = home.issuer.token("operator", PROGRAMME, "x", lifetime=-120)
    strange = Issuer(tmp_path, home.issuer.url).token("operator", PROGRAMME, "x")
    now = int(time.time())
    claims = {"iss": home.issuer.url, "aud": "ama", "sub": "x", "role": "operator", "programme": PROGRAMME, "iat": now}
    lasting = signed(home.issuer, claims | {"exp": now + int(2 * DAY)})
    strange_sub = signed(home.issuer, claims | {"exp": now + 60, "sub": "half \ud800"})
    for each in operations(home):
        for token in (None, "nonsense", "a.b.c", expired, strange, lasting, strange_sub):
            assert said(await scene.ask(each, token)) == (401, "not-authenticated"), (each.name, token)


async def test_a_role_that_a_route_does_not_name_is_refused_by_it_and_one_of_no_programme_by_all(scene: Scene) -> None:
    tried = 0
    for each in operations(scene.home):
        for role in Role:
            if role not in each.roles:
                assert said(await scene.ask(each, scene.token(role))) == (403, "not-allowed"), (each.name, role)
                tried += 1
        nowhere = scene.token(each.roles[0], "atlantis")
        assert said(await scene.ask(each, nowhere)) == (403, "no-such-programme"), each.name
    assert tried > 150


async def test_in_another_programme_nothing_of_ours_is_there(scene: Scene) -> None:
    """Try each role that a route names. The operator of the system has the dead letters of every programme, as declared."""
    ids = (scene.worker, scene.group, scene.session)
    for each in operations(scene.home):
        for role in each.roles:
            if "/ops/" in each.path and role == Role.SYSTEM_OPERATOR:
                continue
            answer = await scene.ask(each, scene.token(role, OTHER))
            if each.path.endswith(ERASURE):
                assert (answer.json()["registered"], answer.json()["left"]) == (False, {}), each.name
            elif "{" in each.path and each.name not in OWN_REGISTER:
                assert answer.status_code == 404, (each.name, role, answer.text)
            elif each.name not in OWN_REGISTER:
                assert not any(id in answer.text for id in ids), (each.name, role)
                assert "matrix" not in answer.text, (each.name, role)


async def test_what_is_not_there_is_404_and_never_an_empty_list(scene: Scene) -> None:
    tried = set()
    for each in operations(scene.home):
        if each.method == "GET" and "{" in each.path and not each.path.endswith(ERASURE):
            for role in set(each.roles) - {Role.WORKER}:
                unknown = dict.fromkeys(("worker", "group", "session", "survey"), NOBODY)
                answer = await scene.ask(each, scene.token(role), **unknown, id=f"reactions/{NOBODY}")
                assert answer.status_code == 404, (each.name, role, answer.text)
            tried.add(each.path)
    assert {f"/{service}/workers/{{worker}}/accesses" for service in SERVICES} < tried


async def test_whoever_may_read_something_of_ours_can(scene: Scene) -> None:
    """Else the refusals above would prove nothing."""
    for each in operations(scene.home):
        if each.method == "GET":
            for role in each.roles:
                answer = await scene.ask(each, scene.token(role))
                # The only thing that somebody who sits already has not: seats to choose from.
                assert answer.status_code == 200 or said(answer)[1] == "seated-already", (each.name, role, answer.text)


async def test_what_a_role_has_of_its_own_ends_where_that_of_another_begins(scene: Scene) -> None:
    foreign = {
        Role.WORKER: scene.token("worker", subject=scene.mate),
        Role.FACILITATOR: scene.token("facilitator", subject="another-leader"),
        Role.REFERRER: scene.token("referrer", partner="uil"),
        Role.PARTNER_SYSTEM: scene.token("partner-system", partner="uil"),
    }
    person = {"person": {"given_name": "Ada", "family_name": "L"}, "partner": "cgil"}
    for each in operations(scene.home):
        for role in each.own:
            answer = await scene.ask(each, foreign[Role(role)])
            if role == Role.WORKER:
                assert said(answer) == (403, "not-yours"), each.name
            elif "{" in each.path:
                assert answer.status_code == 404, (each.name, role, answer.text)
            elif each.method == "GET":
                assert answer.status_code == 200, (each.name, answer.text)
                assert scene.worker not in answer.text, (each.name, role)
                assert scene.group not in answer.text, (each.name, role)
            else:
                assert each.name == "POST /enrolment/referrals", f"try a foreign id on {each.name} as {role}"
                async with scene.home.client() as client:
                    bearer = {"Authorization": f"Bearer {foreign[Role(role)]}"}
                    refused = await client.post(each.path, headers=bearer, json=person)
                assert said(refused) == (403, "not-your-partner")


async def test_the_operator_of_the_system_alone_sees_the_state_and_an_administrator_their_own_dead_letters(
    scene: Scene,
) -> None:
    async with scene.home.client() as client:

        async def asked(role: str, programme: str, path: str) -> httpx.Response:
            bearer = {"Authorization": f"Bearer {scene.token(role, programme)}"}
            return await client.get(path, headers=bearer)

        for service in SERVICES:
            for programme in (PROGRAMME, OTHER):
                assert (await asked("administrator", programme, f"/{service}/ops/state")).status_code == 403
                assert (await asked("system-operator", programme, f"/{service}/ops/state")).status_code == 200
                listed = await asked("system-operator", programme, f"/{service}/ops/dead")
                assert DEAD in {each["id"] for each in listed.json()}
            ours, theirs = [
                {each["id"] for each in (await asked("administrator", each, f"/{service}/ops/dead")).json()}
                for each in (PROGRAMME, OTHER)
            ]
            assert (DEAD in ours, DEAD in theirs) == (True, False)
            for action, body in (("redrive", None), ("dismiss", DISMISSAL)):
                bearer = {"Authorization": f"Bearer {scene.token('administrator', OTHER)}"}
                path = f"/{service}/ops/dead/{DEAD}/{action}"
                assert said(await client.post(path, headers=bearer, json=body)) == (404, "no-such-dead-letter")


# What somebody without a token and without a web session gets of the site: its pages, its issuer, the console.
SITE = {
    ("GET", "/"): 200,
    ("GET", "/accedi"): 303,
    ("GET", "/accedi/ritorno"): 400,
    ("GET", "/ruolo"): 303,
    ("POST", "/ruolo"): 303,
    ("GET", "/esci"): 303,
    ("POST", "/esci"): 200,
    ("GET", "/entra/{token}"): 200,
    ("POST", "/entra/{token}"): 404,
    ("GET", "/static/{version}/{name:path}"): 404,
    ("GET", "/issuer/.well-known/openid-configuration"): 200,
    ("GET", "/issuer/jwks.json"): 200,
    ("GET", "/issuer/authorize"): 400,
    ("POST", "/issuer/authorize"): 400,
    ("POST", "/issuer/token"): 400,
    ("GET", "/console"): 303,
    ("GET", "/console/live"): 200,
    ("GET", "/console/dead/{service}/{id:path}"): 303,
    ("POST", "/console/dead/{service}/{id:path}"): 303,
}
STATEMENTS = ("/accessibilita", "/privacy", "/cookie")  # open, and without anybody's data


def beside_the_services(home: Home) -> set[tuple[str, str]]:
    """Every method and path of the process that is no service's."""
    found = set[tuple[str, str]]()
    for route in home.all_services.app.routes:
        inside = route.routes if isinstance(route, Mount) and route.path in {"/issuer", "/console"} else [route]
        prefix = route.path if isinstance(route, Mount) else ""
        for each in inside or ():
            if isinstance(each, Route):
                found |= {((prefix if each is not route else "") + each.path, method) for method in each.methods or ()}
    return {(method, path) for path, method in found if method != "HEAD" and not path.startswith(STATEMENTS)}


async def test_beside_the_services_there_is_the_site_and_no_route_of_it_that_is_not_listed(home: Home) -> None:
    assert beside_the_services(home) == set(SITE)
    async with home.client() as client:
        for (method, path), status in SITE.items():
            concrete = path
            for name, value in (("{service}", "enrolment"), ("{id:path}", "reactions/x"), ("{token}", "x" * 43)):
                concrete = concrete.replace(name, value)
            answer = await client.request(method, concrete, data={} if method == "POST" else None)
            assert answer.status_code == status, (method, concrete, answer)
            if answer.status_code == 303:
                assert answer.headers["location"].startswith(("/", home.base)), concrete
        for service in SERVICES:
            document = (await client.get(f"/{service}/openapi.json")).json()
            opened = {
                path for path, item in document["paths"].items() if any("x-open" in each for each in item.values())
            }
            assert opened - OPEN == ({"/s/{token}"} if service == "sessions" else set()), service


async def test_no_service_redirects_to_the_host_that_a_caller_names(home: Home) -> None:
    async with home.client() as client:
        for service in SERVICES:
            for path in (
                f"/{service}",
                f"/{service}/",
                f"/{service}/healthz/",
                f"/{service}/workers/",
                f"/{service}/ops",
            ):
                answer = await client.get(path, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
                assert (answer.status_code, answer.headers.get("location")) == (404, None), path


async def test_the_contracts_that_everybody_reads_name_no_address_of_ours(home: Home) -> None:
    hidden = {*home.settings.kafka.split(","), home.settings.mongo.partition("://")[2].partition("/")[0]}
    async with home.client() as client:
        for service in SERVICES:
            for path in ("asyncapi.json", "asyncapi", "openapi.json", "docs"):
                answer = await client.get(f"/{service}/{path}")
                assert answer.status_code == 200
                assert not [each for each in hidden if each in answer.text], (service, path)
