"""Each route against each role, programme and owner: what the OpenAPI documents declare is what a stranger meets.

The cases are made from the documents of the five services, so that a new route is tried without a change here. A route that says nothing
of its callers fails. A route that gives a role only its own fails until a foreign id is tried on it. Pages have a matrix of their own
(`test_pages_matrix`).
"""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio
from starlette.routing import Mount, Route

from services.contracts.topics import SERVICES
from services.embedded.home import Home
from services.identity.auth import Role
from services.identity.issuer import Issuer
from tests.helpers.callers import signed
from tests.helpers.people import OTHER, PROGRAMME
from tests.system.scene import DEAD, DISMISSAL, ERASURE, NOBODY, OPEN, OWN_REGISTER, Scene, operations, played

DAY = 24 * 3600.0


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scene(home: Home) -> AsyncIterator[Scene]:
    async with played(home, "matrix") as made:
        yield made


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
                # What somebody who sits already has not: seats to choose from, and the receipt of an erasure.
                lacking = said(answer)[1] in {"seated-already", "no-such-receipt"}
                assert answer.status_code == 200 or lacking, (each.name, role, answer.text)


# Requests that name nobody: a person and a partner complain for themselves alone.
BY_ONESELF = {"POST /enrolment/complaints"}
# Requests that name the partner for whom somebody acts.
BY_PARTNER: dict[str, dict[str, Any]] = {
    "POST /enrolment/referrals": {"json": {"person": {"given_name": "Ada", "family_name": "L"}, "partner": "cgil"}},
    "POST /enrolment/lists": {
        "params": {"partner": "cgil"},
        "files": {"file": ("elenco.csv", "Nome;Cognome;Telefono\nAda;Prova;3331234567\n")},
    },
}


async def test_what_a_role_has_of_its_own_ends_where_that_of_another_begins(scene: Scene) -> None:
    foreign = {
        Role.WORKER: scene.token("worker", subject=scene.mate),
        Role.FACILITATOR: scene.token("facilitator", subject="another-leader"),
        Role.REFERRER: scene.token("referrer", partner="uil"),
        Role.PARTNER_SYSTEM: scene.token("partner-system", partner="uil"),
    }
    for each in operations(scene.home):
        for role in each.own:
            answer = await scene.ask(each, foreign[Role(role)])
            if each.name in BY_ONESELF:
                assert answer.status_code == 201, (each.name, answer.text)
            elif role == Role.WORKER:
                assert said(answer) == (403, "not-yours"), each.name
            elif "{" in each.path:
                assert answer.status_code == 404, (each.name, role, answer.text)
            elif each.method == "GET":
                assert answer.status_code == 200, (each.name, answer.text)
                assert scene.worker not in answer.text, (each.name, role)
                assert scene.group not in answer.text, (each.name, role)
            else:
                assert each.name in BY_PARTNER, f"try a foreign id on {each.name} as {role}"
                async with scene.home.client() as client:
                    bearer = {"Authorization": f"Bearer {foreign[Role(role)]}"}
                    refused = await client.post(each.path, headers=bearer, **BY_PARTNER[each.name])
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
    ("GET", "/account"): 303,
    ("POST", "/account"): 303,
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


# Whoever holds a link opens these, and those that say what was done need no link any more. Everybody reads the public page of a programme,
# and fetches an empty list to fill in.
BY_LINK = {
    "enrolment": {
        "/links/{token}",
        "/me/conferma/{token}",
        "/me/fatto/lascia",
        "/me/ricevuta/{number}",
        "/partecipa",
        "/partecipa/inviato/{programma}",
        "/partecipa/{token}",
        "/risposta/{token}",
        "/segnalazioni/elenco/modello.csv",
        "/segnalazioni/elenco/modello.xlsx",
    },
    "sessions": {"/questionario/{token}"},
}


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
            assert opened - OPEN == BY_LINK.get(service, set()), service


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
