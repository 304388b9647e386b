"""Every route of every service, from its OpenAPI: closed without a token, closed to the wrong role, deaf to nonsense."""

from functools import partial
from typing import Any

import httpx
import pytest

from services.contracts.topics import SERVICES
from services.embedded.home import Home
from services.identity.auth import Role
from tests.helpers.callers import Caller

OPEN = {"/healthz", "/readyz", "/asyncapi.json", "/asyncapi"}
METHODS = ("get", "put", "post", "delete", "patch")


async def operations(home: Home, service: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Method, path with something in its parameters, and the description."""
    async with home.client() as client:
        document = (await client.get(f"/{service}/openapi.json")).json()
    found = []
    for path, described in document["paths"].items():
        for method in METHODS:
            if method in described:
                concrete = path.replace("{", "").replace("}", "")
                found.append((method.upper(), concrete, described[method]))
    return found


@pytest.mark.parametrize("service", SERVICES)
async def test_without_a_token_or_in_the_wrong_role_no_route_answers(home: Home, service: str) -> None:
    tried = 0
    for method, path, described in await operations(home, service):
        if path in OPEN or described.get("x-open"):
            continue
        roles = described["x-roles"]
        async with home.client() as client:
            answer = await client.request(method, f"/{service}{path}", json={})
            assert (answer.status_code, answer.json()["code"]) == (401, "not-authenticated"), (method, path)
        for role in set(Role) - set(roles):
            answer = await Caller(home, role, "jobs2", "somebody", "isr")(method, f"/{service}{path}", {})
            assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed"), (method, path, role)
            tried += 1
    assert tried > 0


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "ey.ey.ey"])
async def test_a_token_that_is_none_is_refused(home: Home, token: str) -> None:
    async with home.client() as client:
        answer = await client.get("/enrolment/workers", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


async def test_a_token_of_another_issuer_or_for_a_programme_that_is_not_here_is_refused(
    home: Home, tmp_path: Any
) -> None:
    from services.identity.issuer import Issuer

    stranger = Issuer(tmp_path, home.issuer.url).token("operator", "jobs2", "x")
    expired = home.issuer.token("operator", "jobs2", "x", lifetime=-120)
    elsewhere = home.token("operator", "atlantis")
    async with home.client() as client:
        codes = [
            (await client.get("/enrolment/workers", headers={"Authorization": f"Bearer {token}"})).status_code
            for token in (stranger, expired, elsewhere)
        ]
    assert codes == [401, 401, 403]


BODIES: list[tuple[str, dict[str, Any], int, str]] = [
    ("no JSON", {"content": b"{", "headers": {"Content-Type": "application/json"}}, 400, "malformed-json"),
    (
        "half a message",
        {"content": b'{"partner":"\\ud800"}', "headers": {"Content-Type": "application/json"}},
        422,
        "invalid",
    ),
    (
        "not a number",
        {"content": b'{"partner":NaN}', "headers": {"Content-Type": "application/json"}},
        400,
        "malformed-json",
    ),
    ("another kind", {"content": b"<a/>", "headers": {"Content-Type": "text/xml"}}, 415, "not-json"),
    ("too large", {"content": b" " * 1_100_000, "headers": {"Content-Type": "application/json"}}, 413, "too-large"),
    (
        "an unknown field",
        {"json": {"person": {"given_name": "A", "family_name": "B"}, "shoe_size": 43}},
        422,
        "invalid",
    ),
    ("a wrong type", {"json": {"person": "Ada"}}, 422, "invalid"),
    ("a list", {"json": []}, 422, "invalid"),
]


@pytest.mark.parametrize(("name", "sent", "status", "code"), BODIES, ids=[name for name, *_ in BODIES])
async def test_a_body_that_is_wrong_gets_a_problem_document(
    home: Home, name: str, sent: dict[str, Any], status: int, code: str
) -> None:
    bearer = home.token("operator", "jobs2")
    headers = {"Authorization": f"Bearer {bearer}", **sent.pop("headers", {})}
    async with home.client() as client:
        answer = await client.post("/enrolment/referrals", headers=headers, **sent)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_wrong_field_is_named(home: Home) -> None:
    body = {
        "person": {"given_name": "Ada", "family_name": "", "email": "nobody"},
        "profile": {"municipality": "X", "slots": []},
    }
    answer = await Caller(home, "operator", "jobs2")("POST", "/enrolment/referrals", body)
    fields = {each["field"] for each in answer.json()["errors"]}
    assert fields == {"body.person.family_name", "body.person.email", "body.profile.municipality", "body.profile.slots"}


async def test_what_happened_cannot_lie_in_the_future(home: Home) -> None:
    body = {"partner": "isr", "person": {"given_name": "Ada", "family_name": "L"}, "at": "2199-01-01T00:00:00Z"}
    answer = await Caller(home, "operator", "jobs2")("POST", "/enrolment/referrals", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "in-the-future")


async def test_a_referrer_sees_and_refers_for_their_own_partner_alone(home: Home) -> None:
    cgil, uil = (Caller(home, "referrer", "monza-brianza", partner=each) for each in ("cgil", "uil"))
    body = {"person": {"given_name": "Ada", "family_name": "L"}}
    worker = (await cgil("POST", "/enrolment/referrals", body)).json()["worker"]
    refused = await uil("POST", "/enrolment/referrals", {**body, "partner": "cgil"})
    assert (refused.status_code, refused.json()["code"]) == (403, "not-your-partner")
    assert worker not in {row["worker"] for row in (await uil("GET", "/enrolment/workers")).json()}


async def test_a_worker_sees_and_decides_about_themselves_alone(home: Home) -> None:
    operator = Caller(home, "operator", "monza-brianza")
    body = {"partner": "afol", "person": {"given_name": "Ada", "family_name": "L"}}
    mine, theirs = [(await operator("POST", "/enrolment/referrals", body)).json()["worker"] for _ in range(2)]
    me = Caller(home, "worker", "monza-brianza", mine)
    assert (await me("GET", f"/enrolment/workers/{mine}")).status_code == 200
    assert (await me("GET", f"/enrolment/workers/{theirs}")).status_code == 403
    assert (await me("DELETE", f"/enrolment/workers/{theirs}")).status_code == 403
    seen = (await me("GET", f"/enrolment/workers/{mine}/accesses")).json()
    assert [(each["role"], each["who"]) for each in seen] == [("worker", mine)]


async def test_the_same_key_sent_twice_at_once_is_done_once(home: Home) -> None:
    import asyncio

    referrer = Caller(home, "referrer", "monza-brianza", partner="cisl")
    body = {"person": {"given_name": "Ada", "family_name": "Twice"}}
    answers = await asyncio.gather(
        *(referrer("POST", "/enrolment/referrals", body, Idempotency_Key="at-once") for _ in range(6))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["worker"] for answer in answers}) == 1
    other = await referrer(
        "POST", "/enrolment/referrals", {"person": {"given_name": "Eva", "family_name": "X"}}, Idempotency_Key="at-once"
    )
    assert (other.status_code, other.json()["code"]) == (422, "key-reused")
    elsewhere = await Caller(home, "referrer", "monza-brianza", partner="uil")(
        "POST", "/enrolment/referrals", body, Idempotency_Key="at-once"
    )
    assert elsewhere.json()["worker"] != answers[0].json()["worker"]
    assert isinstance(answers[0], httpx.Response)


async def test_a_referral_that_is_sent_again_after_the_erasure_makes_nobody(home: Home) -> None:
    operator, store = Caller(home, "operator", "monza-brianza"), home.all_services.services["enrolment"].store
    body = {"partner": "afol", "person": {"given_name": "Ada", "family_name": "Again"}}
    refer = partial(operator, "POST", "/enrolment/referrals", body, Idempotency_Key="again")
    worker = (await refer()).json()["worker"]
    assert (await refer()).json()["worker"] == worker
    path = f"/enrolment/workers/{worker}"
    profile = {"municipality": "monza", "slots": ["mon-evening"]}
    assert (await operator("PUT", f"{path}/profile", profile, Idempotency_Key="profile")).status_code == 204
    assert await store["answers"].count_documents({"about": worker}) == 2
    administrator = Caller(home, "administrator", "monza-brianza")
    erase = partial(administrator, "DELETE", path, Idempotency_Key="erase")
    assert [(await erase()).status_code for _ in range(2)] == [204] * 2
    answers = [each async for each in store["answers"].find()]
    assert not [each for each in answers if worker in str(each)]
    people = len((await operator("GET", "/enrolment/workers")).json())
    refused = await refer()
    assert (refused.status_code, refused.json()["code"]) == (410, "erased")
    assert len((await operator("GET", "/enrolment/workers")).json()) == people


async def test_an_edit_of_what_was_changed_meanwhile_is_refused(home: Home) -> None:
    operator = Caller(home, "operator", "monza-brianza")
    body = {"partner": "afol", "person": {"given_name": "Ada", "family_name": "L"}}
    worker = (await operator("POST", "/enrolment/referrals", body)).json()["worker"]
    read = await operator("GET", f"/enrolment/workers/{worker}")
    profile = {"municipality": "monza", "slots": ["mon-evening"]}
    first = await operator("PUT", f"/enrolment/workers/{worker}/profile", profile, If_Match=read.headers["ETag"])
    second = await operator("PUT", f"/enrolment/workers/{worker}/profile", profile, If_Match=read.headers["ETag"])
    assert (first.status_code, second.status_code) == (204, 412)
