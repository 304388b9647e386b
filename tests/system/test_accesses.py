"""A caller who is told something that was read of a person is in that person's log of accesses, by whatever route, and also by a refusal.

The routes that take or give the id of a person are found in the OpenAPI documents of the five services. One that is in neither table
fails.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx
import pytest_asyncio

from services.contracts.topics import SERVICES
from services.embedded.home import Home
from tests.helpers.callers import Caller
from tests.helpers.people import People, a_monday
from tests.helpers.waiting import eventually

NAMES = {"worker", "mate", "person", "members", "present"}  # of fields and parameters that hold ids of people
STEPS = "it rests on steps and seats, which open events tell of a pseudonym"
OPENED = "for an administrator, whose read is noted: tests/enrolment/test_my_page.py"
SHEET = "it begins with the same read as the sheet of the person, which is tried"
DEEDS = (
    "contatto",
    "appuntamento",
    "svolto",
    "colloquio",
    "rientro",
    "date",
    "ammissione",
    "rifiuto",
    "uscita",
    "consensi",
    "dati",
    "profilo",
)
PATHS = ("richiesta", "orientamento")
UNLOGGED = {
    "POST /enrolment/referrals": "it makes the person",
    "GET /enrolment/workers": STEPS,
    "POST /enrolment/workers/{worker}/consents": STEPS,
    "POST /enrolment/workers/{worker}/admission": STEPS,
    "POST /enrolment/workers/{worker}/refusal": STEPS,
    "POST /enrolment/workers/{worker}/withdrawal": STEPS,
    "POST /enrolment/workers/{worker}/contacts": STEPS,
    "PUT /enrolment/workers/{worker}/interview": STEPS,
    "POST /enrolment/workers/{worker}/interview": STEPS,
    "POST /enrolment/workers/{worker}/return": STEPS,
    "PUT /enrolment/workers/{worker}/steps/{step}": STEPS,
    "DELETE /enrolment/workers/{worker}": "nothing of the person is left",
    "DELETE /enrolment/workers/{worker}/links": "it tells nothing, not even if there was a link",
    "POST /enrolment/links/{token}": "whoever has the link acts as the person",
    **{
        f"{method} /enrolment/segnalazioni/{{worker}}/consensi": "a referrer's own, noted: tests/enrolment/test_later_consents.py"
        for method in ("GET", "POST")
    },
    "GET /enrolment/segnalazioni/{worker}/ricevuta": "it tells the referrer that they have referred",
    "PUT /enrolment/workers/{worker}/card": "it tells nothing of the card that it replaces",
    **{f"{method} /enrolment/persone/{{worker}}/{deed}": SHEET for method in ("GET", "POST") for deed in DEEDS},
    "POST /enrolment/persone/{worker}/collegamento": SHEET,
    "GET /enrolment/workers/{worker}/receipt": "nothing of the person is left",
    "POST /enrolment/workers/{worker}/opening": OPENED,
    "GET /enrolment/people/{worker}/export": OPENED,
    "GET /enrolment/duplicates": STEPS,
    "PUT /enrolment/workers/{worker}/duplicates/{mate}": STEPS,
    "POST /enrolment/doppioni/{worker}/{mate}": "it begins with the same read as the page of the pair, which is tried",
    "POST /enrolment/doppioni/{worker}/{mate}/annulla": STEPS,
    **{f"{method} /enrolment/retention": STEPS for method in ("GET", "POST")},
    **{f"GET /{service}/people/{{worker}}/held": OPENED for service in SERVICES},
    **{f"{method} /enrolment/persone/{{worker}}/{act}": SHEET for method in ("GET", "POST") for act in PATHS},
    "GET /enrolment/persone/{worker}/esito/{momento}": "it begins with the same read as the fragment of situations, which is tried",
    "POST /enrolment/persone/{worker}/esito/{momento}": STEPS,
    "POST /enrolment/workers/{worker}/signposts": STEPS,
    "POST /enrolment/workers/{worker}/requests": STEPS,
    "PUT /enrolment/workers/{worker}/outcomes/{moment}": STEPS,
    "POST /enrolment/workers/{worker}/requests/{asked}/need": "the person themself says it",
    "PUT /sessions/sessions/{session}/roll-call": STEPS,
    "PUT /sessions/workers/{worker}/surveys/{instrument}/{wave}": STEPS,
    "POST /sessions/workers/{worker}/surveys/{instrument}/{wave}/link": STEPS,
    **{f"GET /{service}/workers/{{worker}}/accesses": "the log itself" for service in SERVICES},
    **{f"GET /{service}/erasures/{{person}}": "nothing of the person is left" for service in SERVICES},
}


@dataclass(frozen=True)
class Scene:
    """A group at a place that is not step-free, and a comer who needs one and is to sit apart from a member."""

    people: People
    members: list[str]
    group: str
    session: str
    comer: str

    @property
    def mate(self) -> str:
        return self.members[0]

    async def log(self, service: str, person: str, who: str) -> list[str]:
        """The purposes for which this caller has read of the person in a service."""
        answer = await self.people.caller("administrator")("GET", f"/{service}/workers/{person}/accesses")
        assert answer.status_code == 200, answer.text
        return [each["what"] for each in answer.json() if each["who"] == who]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scene(home: Home) -> AsyncIterator[Scene]:
    people = People(home)
    members = [await people.admit() for _ in range(10)]
    group = await people.form(members, a_monday(1), "looked-at")
    session = (await people.meetings(group, "looked-at"))[0]["session"]
    comer = await people.admit()
    operator = people.caller("operator")
    profile = {"municipality": "monza", "slots": [people.slot], "needs_access": True}
    assert (await operator("PUT", f"/enrolment/workers/{comer}/profile", profile)).status_code == 204

    async def refused() -> bool:
        answer = await operator("GET", f"/grouping/workers/{comer}/seats?on={a_monday(2)}")
        return answer.status_code == 200 and {"no-access"} == {
            each["refused"] for each in answer.json() if each["group"] == group
        }

    await eventually(refused, 200)

    async def surveyed() -> bool:
        return bool((await operator("GET", f"/sessions/workers/{members[0]}/surveys")).json())

    await eventually(surveyed)
    asked = await operator("POST", f"/enrolment/workers/{comer}/requests", {"service": "dote-lavoro"})
    assert asked.status_code == 201, asked.text

    async def listed() -> bool:
        return comer in [each["worker"] for each in (await operator("GET", "/enrolment/requests")).json()]

    await eventually(listed)
    await eventually(lambda: _proposed(operator), 300)
    yield Scene(people, members, group, session, comer)


async def _proposed(operator: Caller) -> bool:
    """Have the first proposal computed: its loops may be compiled by it, which takes a minute on a machine that is busy."""
    with suppress(httpx.ReadTimeout):
        return (await operator("POST", "/grouping/proposals", {"on": str(a_monday(2))})).status_code == 200
    return False


@dataclass(frozen=True)
class Case:
    """A request, the status of its answer, the people whose log has it afterwards, and the purposes that stand there."""

    operation: str
    path: str
    body: Any
    status: int
    told: tuple[str, ...]
    purpose: str


def cases(scene: Scene) -> Iterator[Case]:
    comer, mate, all_ = scene.comer, scene.mate, (scene.comer, *scene.members)
    profile = {"municipality": "monza", "slots": [scene.people.slot], "needs_access": True}
    pair, wish = f"/grouping/workers/{comer}/pairs/{mate}", {"wish": "apart"}
    join, body = f"/grouping/groups/{scene.group}/members", {"worker": comer}
    place = {"title": "Casa", "address": "Via Correggio 59", "municipality": "monza", "access": True}
    person = f"/enrolment/workers/{comer}"
    two = (comer, mate)
    yield Case("GET /enrolment/workers/{worker}", person, None, 200, (comer,), "person")
    yield Case(
        "GET /enrolment/persone/{worker}",
        f"/enrolment/persone/{comer}",
        None,
        200,
        (comer,),
        "person + requests + outcomes",
    )
    compared = f"/enrolment/doppioni/{comer}/{mate}"
    yield Case("GET /enrolment/doppioni/{worker}/{mate}", compared, None, 200, two, "person")
    yield Case("PUT /enrolment/workers/{worker}/profile", f"{person}/profile", profile, 204, (comer,), "profile")
    yield Case("POST /enrolment/workers/{worker}/links", f"{person}/links", None, 409, (comer,), "link")
    yield Case("GET /enrolment/requests", "/enrolment/requests", None, 200, (comer,), "requests")
    part = "/enrolment/frammenti/richieste"
    yield Case(f"GET {part}", f"{part}?worker={comer}", None, 200, (comer,), "requests")
    part = "/enrolment/frammenti/esiti"
    yield Case(f"GET {part}", f"{part}?worker={comer}", None, 200, (comer,), "outcomes")
    yield Case("PUT /grouping/workers/{worker}/pairs/{mate}", pair, wish, 204, two, "pairs")
    yield Case("GET /grouping/workers/{worker}/pairs", f"/grouping/workers/{mate}/pairs", None, 200, two, "pairs")
    seats = f"/grouping/workers/{comer}/seats?on={a_monday(2)}"
    yield Case("GET /grouping/workers/{worker}/seats", seats, None, 200, all_, "seats")
    yield Case("GET /grouping/gruppi/posti/{worker}", f"/gruppi/posti/{comer}", None, 200, all_, "seats")
    seat = f"/grouping/frammenti/posto?worker={mate}"
    yield Case("GET /grouping/frammenti/posto", seat, None, 200, (mate,), "seat")
    yield Case("POST /grouping/proposals", "/grouping/proposals", {"on": str(a_monday(2))}, 200, all_, "proposal")
    yield Case("POST /grouping/groups/{group}/members", join, body, 409, all_, f"group {scene.group}")
    yield Case("PUT /grouping/places/{place}", "/grouping/places/looked-at", place, 204, (), "")
    yield Case("POST /grouping/groups/{group}/members", join, body, 409, all_, f"group {scene.group}")
    yield Case("DELETE /grouping/workers/{worker}/pairs/{mate}", pair, None, 204, two, "pairs")
    yield Case("DELETE /grouping/workers/{worker}/pairs/{mate}", pair, None, 404, two, "pairs")
    yield Case("POST /grouping/groups/{group}/members", join, body, 201, all_, f"group {scene.group}")
    roll = f"/sessions/sessions/{scene.session}"
    yield Case("GET /sessions/sessions/{session}", roll, None, 200, (mate,), f"session {scene.session}")
    surveys = f"/sessions/workers/{mate}/surveys"
    yield Case("GET /sessions/workers/{worker}/surveys", surveys, None, 200, (mate,), "surveys")
    messages = "/notifications/messages"
    yield Case(f"GET {messages}", f"{messages}?worker={mate}", None, 200, (mate,), "messages")
    part = "/notifications/frammenti/messaggi"
    yield Case(f"GET {part}", f"{part}?worker={mate}", None, 200, (mate,), "messages")


async def test_whoever_is_told_of_a_person_is_in_their_log_of_accesses_also_by_a_refusal(scene: Scene) -> None:
    said = {}
    for number, case in enumerate(cases(scene)):
        who = f"reader-{number}"
        operator = scene.people.caller("operator", who)
        answer = await operator(case.operation.split()[0], case.path, case.body)
        assert answer.status_code == case.status, (case, answer.text)
        service = case.operation.split("/")[1]  # a page is at the root of the site
        for person in case.told:
            assert sorted(await scene.log(service, person, who)) == sorted(case.purpose.split(" + ")), (case, person)
        if case.status == 409:
            said[answer.json()["code"]] = answer.text
    assert said.keys() == {"no-access", "apart", "no-address"}
    # The wish is shown by the route of the pairs alone.
    assert not any(member in said["apart"] for member in scene.members)
    assert scene.comer not in said["apart"]


async def test_a_group_is_formed_with_a_note_for_each_of_its_members(scene: Scene) -> None:
    answer = await scene.people.caller("administrator")("GET", f"/grouping/workers/{scene.mate}/accesses")
    assert "new group" in {each["what"] for each in answer.json() if each["role"] == "operator"}


async def test_a_look_at_the_seats_of_one_person_opens_nothing_of_others_who_wait(scene: Scene) -> None:
    waits, asked = await scene.people.admit(), await scene.people.admit()
    operator = scene.people.caller("operator", "seats-alone")

    async def looked() -> bool:
        answers = [
            (await operator("GET", f"/grouping/workers/{each}/seats?on={a_monday(2)}")).status_code
            for each in (waits, asked)
        ]
        return answers == [200, 200]

    await eventually(looked)
    reader = scene.people.caller("operator", "once")
    assert (await reader("GET", f"/grouping/workers/{asked}/seats?on={a_monday(2)}")).status_code == 200
    assert [await scene.log("grouping", each, "once") for each in (asked, waits)] == [["seats"], []]


async def test_each_person_on_a_page_of_messages_has_the_read_in_their_log(scene: Scene) -> None:
    operator = scene.people.caller("operator", "reads-messages")

    async def some() -> list[Any]:
        return list((await operator("GET", "/notifications/messages")).json())

    shown = await eventually(some)
    for worker in {each["worker"] for each in shown}:
        assert set(await scene.log("notifications", worker, "reads-messages")) == {"messages"}


def people_in(schema: Any, schemas: dict[str, Any], seen: frozenset[str] = frozenset()) -> set[str]:
    """Names of the fields below a part of an OpenAPI document that hold ids of people: texts, or lists of texts."""
    if isinstance(schema, list):
        return {name for each in schema for name in people_in(each, schemas, seen)}
    if not isinstance(schema, dict):
        return set()
    reference = schema.get("$ref", "").removeprefix("#/components/schemas/")
    if reference and reference not in seen:
        return people_in(schemas[reference], schemas, seen | {reference})
    fields = schema.get("properties", {})
    found = {name for name in NAMES & fields.keys() if "'string'" in str(fields[name])}
    return found | {name for each in schema.values() for name in people_in(each, schemas, seen)}


async def test_each_route_that_takes_or_gives_the_id_of_a_person_is_tried_or_exempt_for_a_reason(scene: Scene) -> None:
    tried = {case.operation for case in cases(scene) if case.told} | {"POST /grouping/groups"}
    found = set()
    for service in SERVICES:
        document = scene.people.home.all_services.services[service].app.openapi()
        for path, item in document["paths"].items():
            for method, described in item.items():
                named = {each["name"] for each in described.get("parameters", ())} & NAMES
                parts = [described.get("requestBody"), described.get("responses")]
                if named or people_in(parts, document["components"]["schemas"]):
                    found.add(f"{method.upper()} /{service}{path}")
    assert found - tried == UNLOGGED.keys()
    assert tried <= found
