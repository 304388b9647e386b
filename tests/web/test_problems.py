"""Whatever goes wrong in a request is a problem document that names the field and reveals nothing of the inside."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette

from services import web
from services.kernel import Refusal, Refused
from services.web import LARGEST
from tests.helpers.serving import client_of

JSON = {"Content-Type": "application/json"}
GOOD = {"person": {"name": "Ada"}}


def problem(answer: httpx.Response) -> dict[str, Any]:
    """The document, as RFC 9457 and this project want it."""
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["status"] == answer.status_code
    assert told["type"] == f"urn:amalavoro:problem:{told['code']}"
    assert told["title"]
    assert told["detail"]
    return told


async def send(
    client: httpx.AsyncClient, operator: dict[str, str], body: bytes, kind: str = "application/json"
) -> httpx.Response:
    return await client.post("/referrals", content=body, headers={**operator, "Content-Type": kind})


async def test_a_refusal_keeps_its_code_its_status_and_its_members(
    client: httpx.AsyncClient, operator: dict[str, str]
) -> None:
    told = problem(await client.get("/refused", headers=operator))
    assert (told["status"], told["code"], told["seats"]) == (409, "not-referred", 9)
    assert told["detail"] == "Worker w1 is admitted, not referred."


async def test_what_is_away_says_when_to_come_again(client: httpx.AsyncClient, operator: dict[str, str]) -> None:
    answer = await client.get("/away", headers=operator)
    assert (problem(answer)["code"], answer.status_code, answer.headers["retry-after"]) == ("unavailable", 503, "7")


async def test_a_defect_is_written_down_without_its_words_and_its_address_and_told_to_nobody(
    client: httpx.AsyncClient, operator: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = await client.get("/defect/secret-link", headers=operator)
    assert (problem(answer)["code"], answer.status_code) == ("defect", 500)
    assert "Ada" not in answer.text
    assert "secret-link" not in caplog.text
    (line,) = caplog.records
    assert line.exc_info is not None
    assert line.__dict__["route"] == "GET router.<locals>.defect"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/nowhere", 404, "not-found"), ("PUT", "/referrals", 405, "method-not-allowed")],
)
async def test_an_address_that_is_wrong_is_a_problem_too(
    client: httpx.AsyncClient, operator: dict[str, str], method: str, path: str, status: int, code: str
) -> None:
    answer = await client.request(method, path, headers=operator)
    assert (answer.status_code, problem(answer)["code"]) == (status, code)


async def test_also_outside_the_services() -> None:
    outside = Starlette()
    web.install_outside(outside)
    async with client_of(outside) as client:
        answer = await client.get("/nowhere")
    assert problem(answer)["code"] == "not-found"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_every_wrong_field_is_named_with_its_place_also_the_unknown_ones(
    client: httpx.AsyncClient, operator: dict[str, str]
) -> None:
    body = {"person": {"name": "", "email": "nobody"}, "slots": ["mon", 5], "shoe/size": 43}
    told = problem(await client.post("/referrals", json=body, headers=operator))
    assert (told["status"], told["code"]) == (422, "invalid")
    assert {each["field"]: each["pointer"] for each in told["errors"]} == {
        "body.person.name": "#/person/name",
        "body.person.email": "#/person/email",
        "body.slots.1": "#/slots/1",
        "body.shoe/size": "#/shoe~1size",
    }


async def test_a_wrong_parameter_is_named_too(client: httpx.AsyncClient, operator: dict[str, str]) -> None:
    told = problem(await client.get("/workers/-", params={"limit": "many"}, headers=operator))
    assert {each["field"] for each in told["errors"]} == {"path.worker", "query.limit"}


async def test_a_body_that_is_missing_is_named(client: httpx.AsyncClient, operator: dict[str, str]) -> None:
    told = problem(await client.post("/referrals", headers=operator))
    assert (told["status"], told["errors"][0]["field"]) == (422, "body")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nothing",
        b'{"person":NaN}',
        b'{"person":Infinity}',
        b'\xff\xfe{"a":1}',
        b'{"a":"\xff"}',
        b'{"a":"\n"}',
        b"{} {}",
        b"\xef\xbb\xbf{}",
        '{"person":{"name":"Ada"}}'.encode("utf-16"),
        '{"person":{"name":"Niccol\u00f2"}}'.encode("cp1252"),
    ],
)
async def test_what_is_not_json_is_400(client: httpx.AsyncClient, operator: dict[str, str], body: bytes) -> None:
    answer = await send(client, operator, body)
    assert (answer.status_code, problem(answer)["code"]) == (400, "malformed-json")


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (b'{"person":{"name":"Ada"},"seats":1,"seats":2}', "seats"),
        (b'{"person":{"name":"Ada","email":"a@example.org","name":"Eva"}}', "name"),
        (b'{"person":{"name":"Ada"},"slots":[{"a":1,"a":1}]}', "a"),
        (rb'{"person":{"name":"Ada"},"seats":1,"se\u0061ts":2}', "seats"),
        (rb'{"person":{"name":"Ada"},"\ud800":1,"\ud800":2}', "\\ud800"),
        (b'{"person":{"name":"Ada"},"' + b"k" * 500 + b'":1,"' + b"k" * 500 + b'":1}', "k" * 60),
    ],
)
async def test_a_key_that_stands_twice_is_400_and_named(
    client: httpx.AsyncClient, operator: dict[str, str], body: bytes, key: str
) -> None:
    answer = await send(client, operator, body)
    told = problem(answer)
    assert (answer.status_code, told["code"]) == (400, "malformed-json")
    assert f'the key "{key}" stands twice' in told["detail"]


async def test_a_field_of_an_address_or_a_form_that_stands_twice_is_400_and_named(
    client: httpx.AsyncClient, operator: dict[str, str]
) -> None:
    for query in ("limit=1&limit=2", "limit=1&li%6Dit=1", "limit=1&&x=&limit"):
        told = problem(await client.get(f"/workers/w1?{query}", headers=operator))
        assert (told["status"], told["detail"]) == (400, '"limit" stands twice in the query.')
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    told = problem(await client.post("/answers", content=b"mood=4&mood=1", headers=kind))
    assert (told["status"], told["detail"]) == (400, '"mood" stands twice in the body.')


@pytest.mark.parametrize("path", ["/workers/a%ffb", "/workers/ab?limit=%c3", "/workers/ab?x=%ed%a0%80"])
async def test_an_address_that_is_not_utf_8_is_400(
    client: httpx.AsyncClient, operator: dict[str, str], path: str
) -> None:
    told = problem(await client.get(path, headers=operator))
    assert (told["status"], told["code"]) == (400, "malformed")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Idempotency-Key", ""),
        ("Idempotency-Key", "a b"),
        ("Idempotency-Key", "chi\u00e0ve"),
        ("Idempotency-Key", "k" * 201),
        ("If-Match", ""),
        ("If-Match", "3"),
        ("If-Match", '"3'),
        ("If-Match", '"3" "4"'),
    ],
)
async def test_a_header_that_has_no_legal_form_is_400(
    client: httpx.AsyncClient, operator: dict[str, str], name: str, value: str
) -> None:
    headers = httpx.Headers({**operator, name: value}, encoding="utf-8")
    told = problem(await client.post("/referrals", json=GOOD, headers=headers))
    assert (told["status"], told["code"]) == (400, "malformed-header")


@pytest.mark.parametrize("twice", [("Idempotency-Key", "a"), ("If-Match", '"3"'), ("Content-Type", "application/json")])
async def test_a_header_that_changes_what_is_done_stands_there_once(
    client: httpx.AsyncClient, operator: dict[str, str], twice: tuple[str, str]
) -> None:
    told = problem(
        await client.post(
            "/referrals", content=json.dumps(GOOD), headers=[*operator.items(), *JSON.items(), twice, twice]
        )
    )
    assert (told["status"], told["code"]) == (400, "malformed-header")


@pytest.mark.parametrize("tag", ['"3"', 'W/"3"', "*", '"3", "4"', '""'])
async def test_a_header_of_legal_form_passes(client: httpx.AsyncClient, operator: dict[str, str], tag: str) -> None:
    headers = {**operator, "Idempotency-Key": "!" + "k" * 199, "If-Match": tag, "X-Request-ID": "anything at all"}
    assert (await client.post("/referrals", json=GOOD, headers=headers)).status_code == 201


@pytest.mark.parametrize("deep", [65, 500, 1000, 1023, 1024, 100_000])
async def test_json_that_is_nested_without_end_is_no_defect(
    client: httpx.AsyncClient, operator: dict[str, str], deep: int
) -> None:
    for body in (
        b"[" * deep + b"]" * deep,
        b'{"a":' * deep + b"1" + b"}" * deep,
        b'{"slots":' + b"[" * deep + b'"\\u0000"' + b"]" * deep + b"}",
    ):
        answer = await send(client, operator, body)
        assert problem(answer)["code"] in {"malformed-json", "malformed", "invalid"}


@pytest.mark.parametrize(
    ("body", "field", "why"),
    [
        (rb'{"person":{"name":"A\u0000"}}', "body.person.name", "NUL"),
        (rb'{"person":{"name":"\ud800"}}', "body.person.name", "half a character"),
        (rb'{"person":{"name":"\udc00\ud83d"}}', "body.person.name", "half a character"),
        (rb'{"person":{"name":"Ada"},"slots":["a","\uDFFF"]}', "body.slots.1", "half a character"),
        (rb'{"person":{"name":"Ada"},"\u0000":1}', "body", "NUL"),
        (rb'{"person":{"name":"Ada"},"\ud800":1}', "body", "half a character"),
        (rb'{"person":{"name":"Ada"},"seats":9223372036854775808}', "body.seats", "64 bits"),
        (rb'{"person":{"name":"Ada"},"seats":-9223372036854775809}', "body.seats", "64 bits"),
        (b'{"person":{"name":"Ada"},"seats":1' + b"0" * 400 + b"}", "body.seats", "64 bits"),
    ],
)
async def test_what_no_engine_could_keep_is_422_and_named(
    client: httpx.AsyncClient, operator: dict[str, str], body: bytes, field: str, why: str
) -> None:
    answer = await send(client, operator, body)
    told = problem(answer)
    assert (answer.status_code, told["code"], told["errors"][0]["field"]) == (422, "invalid", field)
    assert why in told["errors"][0]["message"]


@pytest.mark.parametrize(
    "person",
    [
        {"name": "\U0001f600"},
        {"name": "\\u0000"},
        {"name": "\\ud800"},
        {"name": "1234567890123456789"},
        {"name": "L'Aquila è"},
    ],
)
async def test_what_only_looks_like_it_is_taken(
    client: httpx.AsyncClient, operator: dict[str, str], person: dict[str, str]
) -> None:
    answer = await client.post("/referrals", json={"person": person, "seats": 2**63 - 1}, headers=operator)
    assert (answer.status_code, answer.json()["person"]["name"]) == (201, person["name"])


@pytest.mark.parametrize(("path", "field"), [("/workers/a%00b", "path"), ("/workers/ab?limit=%00", "query")])
async def test_the_character_nul_in_an_address_is_422(
    client: httpx.AsyncClient, operator: dict[str, str], path: str, field: str
) -> None:
    answer = await client.get(path, headers=operator)
    assert (answer.status_code, problem(answer)["errors"][0]["field"]) == (422, field)


@pytest.mark.parametrize(
    "moment", ["1899-12-31T00:00:00Z", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "2024-01-01T00:00:00"]
)
async def test_a_moment_out_of_this_age_or_of_no_zone_is_named(
    client: httpx.AsyncClient, operator: dict[str, str], moment: str
) -> None:
    told = problem(await client.post("/referrals", json={**GOOD, "at": moment}, headers=operator))
    assert (told["status"], [each["field"] for each in told["errors"]]) == (422, ["body.at"])


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "text/xml",
        "",
        "application/jsonlines",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
    ],
)
async def test_another_kind_of_body_is_415(client: httpx.AsyncClient, operator: dict[str, str], kind: str) -> None:
    answer = await send(client, operator, json.dumps(GOOD).encode(), kind)
    assert (answer.status_code, problem(answer)["code"]) == (415, "not-json")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON"])
async def test_json_may_say_its_charset(client: httpx.AsyncClient, operator: dict[str, str], kind: str) -> None:
    assert (await send(client, operator, json.dumps(GOOD).encode(), kind)).status_code == 201


async def test_a_form_goes_to_the_route_that_asks_for_one(client: httpx.AsyncClient) -> None:
    assert (await client.post("/answers", data={"mood": "4"})).json() == {"mood": 4}
    assert problem(await client.post("/answers", data={"mood": "well"}))["errors"][0]["field"] == "body.mood"
    assert problem(await client.post("/answers", json={"mood": 4}))["status"] == 422


async def test_a_body_of_exactly_the_limit_is_read_and_one_byte_more_is_not(
    client: httpx.AsyncClient, operator: dict[str, str]
) -> None:
    body = json.dumps(GOOD).encode()
    assert (await send(client, operator, body.ljust(LARGEST))).status_code == 201
    answer = await send(client, operator, body.ljust(LARGEST + 1))
    assert (answer.status_code, problem(answer)["code"]) == (413, "too-large")


async def test_a_body_in_chunks_is_cut_off_at_the_limit(client: httpx.AsyncClient, operator: dict[str, str]) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 64 * LARGEST:
            sent += 65536
            yield b" " * 65536

    try:
        answer = await client.post("/referrals", content=endless(), headers={**operator, **JSON})
        assert (answer.status_code, problem(answer)["code"]) == (413, "too-large")
    except (httpx.WriteError, httpx.ReadError):
        pass  # the server hung up before this client, which writes to the end, read the answer
    assert sent < 64 * LARGEST


async def test_a_body_that_claims_to_be_too_large_is_refused_before_it_is_sent(
    client: httpx.AsyncClient, operator: dict[str, str]
) -> None:
    there = urlsplit(str(client.base_url))
    reader, writer = await asyncio.open_connection(there.hostname, there.port)
    writer.write(
        f"POST /referrals HTTP/1.1\r\nHost: x\r\nAuthorization: {operator['Authorization']}\r\n"
        f"Content-Type: application/json\r\nContent-Length: 999999999999\r\n\r\n".encode()
    )
    async with asyncio.timeout(5):
        assert b" 413 " in await reader.readline()
    writer.close()


async def test_a_caller_who_goes_away_in_the_middle_does_no_harm(
    client: httpx.AsyncClient, operator: dict[str, str], caplog: Any
) -> None:
    there = urlsplit(str(client.base_url))
    for _ in range(3):
        _, writer = await asyncio.open_connection(there.hostname, there.port)
        writer.write(
            b"POST /referrals HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
        )
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.close()
    await asyncio.sleep(0.1)
    assert (await client.get("/workers/w1", headers=operator)).status_code == 200
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []


async def test_a_list_of_a_thousand_wrong_things_is_answered_by_its_first_hundred(
    client: httpx.AsyncClient, operator: dict[str, str]
) -> None:
    answer = await client.post("/referrals", json={**GOOD, "slots": [5] * 1000}, headers=operator)
    assert len(problem(answer)["errors"]) == 100
    half = rb'{"slots":[' + b",".join([rb'"\ud800"'] * 1000) + b"]}"
    assert len(problem(await send(client, operator, half))["errors"]) == 100


async def test_a_long_name_of_an_unknown_field_is_not_sent_back_whole(
    client: httpx.AsyncClient, operator: dict[str, str]
) -> None:
    answer = await client.post("/referrals", json={**GOOD, "x" * 100_000: 1}, headers=operator)
    assert len(answer.content) < 2_000


async def test_every_answer_tells_browsers_to_keep_guess_frame_and_pass_on_nothing(
    client: httpx.AsyncClient, operator: dict[str, str]
) -> None:
    for answer in (
        await client.get("/workers/w1", headers=operator),
        await client.get("/nowhere"),
        await send(client, operator, b"{"),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(("tag", "version"), [('"3"', 3), (' W/"3" ', 3), (web.etag(12), 12)])
def test_an_if_match_names_the_version_that_was_read(tag: str, version: int) -> None:
    assert web.version_of(tag) == version


@pytest.mark.parametrize("tag", ["", '""', '"a"', '"-1"', '"1", "2"', '"٣"', '"9999999999999999999"'])
def test_an_if_match_that_is_no_tag_of_ours_matches_nothing(tag: str) -> None:
    with pytest.raises(Refused) as refused:
        web.version_of(tag)
    assert (refused.value.code, refused.value.kind) == ("changed-meanwhile", Refusal.STALE)


async def test_the_character_nul_in_a_form_is_422_too(client: httpx.AsyncClient) -> None:
    answer = await client.post("/answers", data={"mood": "4\0"})
    assert (answer.status_code, problem(answer)["errors"][0]["field"]) == (422, "body")
