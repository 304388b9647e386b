"""Nothing that a caller chooses gets into open events; nothing that the programme does not know gets in at all."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
import pytest_asyncio

from services.embedded.home import Home
from tests.helpers.callers import Caller
from tests.helpers.people import CONSENTS, PROGRAMME, People
from tests.helpers.records import feed, kind, records
from tests.helpers.waiting import eventually

NAMED = {"given_name": "Ada", "family_name": "L"}
SENT_WITH = "request-of-ada-prova@example.org"


@pytest_asyncio.fixture
async def operator(home: Home) -> AsyncIterator[Caller]:
    yield Caller(home, "operator", PROGRAMME)


async def test_why_somebody_left_and_what_a_caller_names_its_request_is_in_no_open_event(
    home: Home, operator: Caller
) -> None:
    people = People(home)
    worker = await people.refer("afol")  # whose agreement names withdrawals
    await people.consent(worker, **CONSENTS)
    left = await operator(
        "POST", f"/enrolment/workers/{worker}/withdrawal", {"reason": "illness"}, X_Request_ID=SENT_WITH
    )
    assert left.status_code == 204
    models = home.all_services.services["analytics"].read_models

    async def explained() -> str | None:
        rows = [row async for row in models.rows("path", {"programme": PROGRAMME, "person": worker})]
        return next((row["reason"] for row in rows if "reason" in row), None)

    assert await eventually(explained) == "illness"
    mine = [orjson.loads(each.value) for each in await records(home) if each.value and worker.encode() in each.value]
    types = {each["type"].split(".", 2)[2]: each for each in mine if "type" in each}
    assert types["enrolment.worker.withdrawn.v1"]["data"] == {"reason": "other"}
    assert isinstance(types["enrolment.withdrawal.explained.v1"]["data"], str), "a JWE"
    assert not [each for each in mine if "illness" in str(each) or SENT_WITH in str(each)]

    async def told() -> list[Any]:
        return [each["data"]["reason"] for each in await feed(home, "afol") if kind(each) == "worker.withdrew"]

    await eventually(told)
    assert set(await told()) <= {"found-work", "other"}


@pytest.mark.parametrize(
    ("role", "status", "code"), [("operator", 422, "no-referrer"), ("referrer", 403, "not-a-referrer")]
)
async def test_a_partner_that_only_pays_refers_nobody(home: Home, role: str, status: int, code: str) -> None:
    body = {"partner": "provincia-mb", "person": NAMED}
    answer = await Caller(home, role, PROGRAMME, partner="provincia-mb")("POST", "/enrolment/referrals", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"notice": "banana", "language": "fr"}, 422, "no-such-notice"),
        ({"notice": "2026-09", "language": "fr"}, 422, "no-such-language"),
        ({"notice": "2026-09", "language": "zz"}, 422, "invalid"),
        ({"notice": "2026-09", "language": "Italian, as she said"}, 422, "invalid"),
        ({"notice": "Ada Prova, via Roma 1"}, 422, "invalid"),
        ({"notice": "2026-09", "language": "en"}, 204, None),
        ({"notice": "2026-09"}, 204, None),
    ],
)
async def test_consent_names_a_notice_that_was_published_in_one_of_its_languages(
    operator: Caller, changes: dict[str, str], status: int, code: str | None
) -> None:
    worker = (await operator("POST", "/enrolment/referrals", {"partner": "cgil", "person": NAMED})).json()["worker"]
    body = {"consents": {"participation": True}, **changes}
    answer = await operator("POST", f"/enrolment/workers/{worker}/consents", body)
    assert answer.status_code == status
    assert code is None or answer.json()["code"] == code


@pytest.mark.parametrize(
    ("card", "kept"),
    [
        ({"email": "niccol\u00f2.rossi@example.it"}, None),
        ({"email": "ada@example.it"}, "ada@example.it"),
        ({"phone": "+39 333 123 4567"}, "+393331234567"),
        ({"phone": "3331234567"}, "+393331234567"),
        ({"phone": "0039 039 123456"}, "+39039123456"),
        ({"phone": "+39-333-1234567"}, "+393331234567"),
        ({"phone": "+390391234567"}, "+390391234567"),
        ({"phone": "pippo"}, None),
        ({"given_name": "=?utf-8?q?A=0D=0AReply-To:x=40y=2Eit?="}, None),
        ({"given_name": "A" * 77}, "A" * 77),
        ({"family_name": "B\u202eC"}, None),
    ],
)
async def test_a_card_holds_what_a_mail_and_a_text_message_can_use(
    operator: Caller, card: dict[str, str], kept: str | None
) -> None:
    answer = await operator("POST", "/enrolment/referrals", {"partner": "cgil", "person": NAMED | card})
    if kept is None:
        assert [each["field"] for each in answer.json()["errors"]] == [f"body.person.{name}" for name in card]
        assert answer.status_code == 422
        return
    shown = await operator("GET", f"/enrolment/workers/{answer.json()['worker']}")
    assert [shown.json()["card"][name] for name in card] == [kept]


@pytest.mark.parametrize("year", [1899, datetime.now(UTC).year - 13, 2100])
async def test_a_birth_year_is_one_that_a_worker_can_have(operator: Caller, year: int) -> None:
    profile = {"municipality": "monza", "slots": ["mon-evening"], "birth_year": year}
    answer = await operator("POST", "/enrolment/referrals", {"partner": "cgil", "person": NAMED, "profile": profile})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body.profile.birth_year")


async def test_an_empty_idempotency_key_is_none(operator: Caller) -> None:
    body = {"partner": "cgil", "person": NAMED}
    answer = await operator("POST", "/enrolment/referrals", body, Idempotency_Key="")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed-header")
