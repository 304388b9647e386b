"""Every command that says when it happened, through the public interface: not in the future, and not before the step that it needs."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from services.contracts.topics import SERVICES
from services.embedded.home import Home
from services.store.clock import now_utc
from tests.helpers.people import ANSWERS, CONSENTS, People, a_monday
from tests.helpers.waiting import eventually

YESTERDAY, TOMORROW = (now_utc() + timedelta(days=days) for days in (-1, 1))
NEXT_WEEK = (now_utc() + timedelta(days=7)).isoformat()
BEFORE_ALL = "2020-01-01T09:00:00Z"
PERSON = {"given_name": "Ada", "family_name": "Ordine"}
ENROLMENT, SEATS = "/enrolment/workers/{waiting}", "/grouping/groups/{group}"
# by the route: the address with its ids, the body without `at`, and whether yesterday is before the step that it needs
STEPS: dict[str, tuple[str, dict[str, Any], bool]] = {
    "POST /enrolment/referrals": ("/enrolment/referrals", {"partner": "cgil", "person": PERSON}, False),
    "POST /enrolment/workers/{worker}/consents": (
        f"{ENROLMENT}/consents",
        {"consents": {"research": True}, "notice": "2026-09"},
        True,
    ),
    "POST /enrolment/workers/{worker}/admission": (f"{ENROLMENT}/admission", {}, True),
    "POST /enrolment/workers/{worker}/refusal": (f"{ENROLMENT}/refusal", {}, True),
    "POST /enrolment/workers/{worker}/withdrawal": (f"{ENROLMENT}/withdrawal", {"reason": "other"}, True),
    "POST /enrolment/workers/{worker}/contacts": (f"{ENROLMENT}/contacts", {"how": "phone", "reached": True}, True),
    "PUT /enrolment/workers/{worker}/interview": (f"{ENROLMENT}/interview", {"when": NEXT_WEEK}, True),
    "POST /enrolment/workers/{worker}/interview": (f"{ENROLMENT}/interview", {}, True),
    "POST /enrolment/workers/{worker}/return": ("/enrolment/workers/{gone}/return", {}, True),
    "PUT /enrolment/workers/{worker}/steps/{step}": (
        "/enrolment/workers/{pooled}/steps/admitted",
        {"reason": "It was another day"},
        True,
    ),
    "POST /enrolment/workers/{worker}/signposts": (f"{ENROLMENT}/signposts", {"service": "dote-lavoro"}, True),
    "POST /enrolment/workers/{worker}/requests": (f"{ENROLMENT}/requests", {"service": "dote-lavoro"}, True),
    "POST /enrolment/requests/{asked}/answer": ("/enrolment/requests/{asked}/answer", {"answer": "accepted"}, True),
    "POST /enrolment/requests/{asked}/end": ("/enrolment/requests/{asked}/end", {"ending": "abandoned"}, True),
    "POST /grouping/groups": (
        "/grouping/groups",
        {
            "members": [f"stranger-{number}" for number in range(10)],
            "slot": "mon-evening",
            "place": "order",
            "facilitator": "order-leader",
            "first": str(a_monday(1)),
        },
        False,
    ),
    "POST /grouping/groups/{group}/members": (f"{SEATS}/members", {"worker": "{pooled}"}, True),
    "POST /grouping/groups/{group}/facilitator": (
        f"{SEATS}/facilitator",
        {"facilitator": "order-leader", "since": str(a_monday(2))},
        True,
    ),
    "POST /grouping/groups/{group}/conclusion": (f"{SEATS}/conclusion", {"reason": "too-few"}, True),
    "PUT /sessions/sessions/{session}/roll-call": ("/sessions/sessions/{held}/roll-call", {"present": []}, False),
    "PUT /sessions/workers/{worker}/surveys/{instrument}/{wave}": (
        "/sessions/workers/{seated}/surveys/ama-own/T0",
        {"answers": ANSWERS},
        True,
    ),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ids(home: Home) -> AsyncIterator[dict[str, str]]:
    """Somebody who was referred and consented, with a request to a service; somebody who has left; somebody in the pool; a member, their
    group, and a meeting that took place."""
    people = People(home)
    waiting = await people.refer()
    await people.consent(waiting, **CONSENTS)
    operator = people.caller("operator")
    made = await operator("POST", f"/enrolment/workers/{waiting}/requests", {"service": "dote-lavoro"})
    assert made.status_code == 201, made.text
    gone = await people.refer()
    left = await operator("POST", f"/enrolment/workers/{gone}/withdrawal", {"reason": "other"})
    assert left.status_code == 204, left.text
    members = [await people.admit() for _ in range(10)]
    pooled = await people.admit()
    group = await people.form(members, a_monday(-1), "order")
    held = (await people.meetings(group, "order"))[0]["session"]

    async def asked() -> bool:
        surveys = (await operator("GET", f"/sessions/workers/{members[0]}/surveys")).json()
        pool = await home.all_services.services["grouping"].store.by_id("seeker", [f"{people.programme}/{pooled}"])
        return any(each["status"] == "invited" for each in surveys) and any(e["state"]["waits"] for e in pool.values())

    await eventually(asked)
    people_of = {"waiting": waiting, "gone": gone, "pooled": pooled, "seated": members[0]}
    yield {**people_of, "asked": made.json()["request"], "group": group, "held": held}


async def test_every_route_that_takes_a_time_in_the_world_is_tried_here(home: Home) -> None:
    found = set()
    async with home.client() as client:
        for service in SERVICES:
            document = (await client.get(f"/{service}/openapi.json")).json()
            for path, operations in document["paths"].items():
                for method, operation in operations.items():
                    if "'at'" in str(bodies(document, operation)):
                        found.add(f"{method.upper()} /{service}{path}")
    assert found == STEPS.keys(), "a new command with `at` needs a row in STEPS, and a rule of order"


def bodies(document: dict[str, Any], operation: dict[str, Any]) -> list[list[str]]:
    """The names of the fields of an operation's body."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    options = [content, *content.get("anyOf", [])]
    named = [each["$ref"].rpartition("/")[2] for each in options if "$ref" in each]
    return [sorted(document["components"]["schemas"][name].get("properties", {})) for name in named]


def filled(part: Any, ids: dict[str, str]) -> Any:
    """The same with ids in place of their names."""
    if isinstance(part, str):
        return part.format(**ids)
    if isinstance(part, list):
        return [filled(each, ids) for each in part]
    return {name: filled(each, ids) for name, each in part.items()} if isinstance(part, dict) else part


async def refused(home: Home, route: str, ids: dict[str, str], at: str) -> tuple[int, str]:
    path, body, _ = STEPS[route]
    operator = People(home).caller("operator")
    answer = await operator(route.partition(" ")[0], path.format(**ids), {**filled(body, ids), "at": at})
    assert answer.is_client_error, f"{route} at {at}: {answer.status_code}"
    return answer.status_code, str(answer.json()["code"])


@pytest.mark.parametrize("route", STEPS)
async def test_no_step_is_in_the_future(home: Home, ids: dict[str, str], route: str) -> None:
    assert await refused(home, route, ids, TOMORROW.isoformat()) == (422, "in-the-future")


@pytest.mark.parametrize("route", [route for route, (*_, needs) in STEPS.items() if needs])
async def test_no_step_is_before_the_one_that_it_needs(home: Home, ids: dict[str, str], route: str) -> None:
    assert await refused(home, route, ids, YESTERDAY.isoformat()) == (409, "out-of-order")


@pytest.mark.parametrize("route", STEPS)
async def test_no_step_is_before_the_programme(home: Home, ids: dict[str, str], route: str) -> None:
    assert await refused(home, route, ids, BEFORE_ALL) == (409, "out-of-order")
