"""Generated requests, right and wrong, to every route of the running services, in a role that may call it."""

import asyncio
from collections import Counter
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response

from services.contracts.topics import SERVICES
from services.embedded.home import Home
from tests.helpers.callers import Caller
from tests.helpers.people import THEN
from tests.helpers.randomness import TIMES, chance, exploring
from tests.system.strange import requests

EXAMPLES = 4 * (TIMES if exploring() else 1)  # right ones and as many wrong ones, for each operation
SHARE = 1.0 if exploring() else 0.25  # of the strange requests that are sent: there are thousands
PROGRAMME = "jobs2"
LONGEST = 20  # seconds that an answer may take


def attack(
    base: str, openapi: dict[str, Any], tokens: dict[str, str], there: dict[str, str]
) -> tuple[Counter[int], dict[str, str]]:
    """Send generated requests to each operation, in its roles in turn; every other one names something that is `there`. Gives the
    number of answers by status, and the fault of each wrong operation. It blocks: run it in a thread."""
    found: dict[str, str] = {}
    sent, answered = 0, Counter[int]()
    results = list(schemathesis.openapi.from_dict(openapi).get_all_operations())
    assert all(isinstance(each, Ok) for each in results)
    for operation in (each.ok() for each in results if isinstance(each, Ok)):
        takes = bool(operation.body) or any(operation.iter_parameters())
        for mode in GenerationMode if takes else (GenerationMode.POSITIVE,):

            @settings(
                max_examples=EXAMPLES,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def send(case: Case[Any]) -> None:
                nonlocal sent
                roles = case.operation.definition.raw.get("x-roles", [])
                role = roles[sent % len(roles)] if roles else None
                headers = {"Authorization": f"Bearer {tokens[role]}"} if role else {}
                sent += 1
                if sent % 2:
                    case.path_parameters |= {name: id for name, id in there.items() if name in case.path_parameters}
                answer = case.call(base_url=base, headers=headers, timeout=LONGEST)
                answered[answer.status_code] += 1
                if why := wrong(answer):
                    found.setdefault(case.operation.label, f"{why}: {case.as_curl_command()[:600]}")

            send()
    return answered, found


def wrong(answer: Response) -> str | None:
    """Reason why the answer is not allowed; None when it is."""
    if answer.status_code >= 500 and answer.status_code != 503:
        return f"a server error {answer.status_code}"
    kind = (answer.headers.get("content-type") or [""])[0]
    if answer.status_code >= 400 and kind != "application/problem+json" and not kind.startswith("text/html"):
        return f"{answer.status_code} of {kind or 'no kind'}"
    if answer.status_code >= 400 and kind == "application/problem+json":
        problem = answer.json()
        missing = {"type", "title", "status", "code", "detail"} - problem.keys()
        if missing or problem["status"] != answer.status_code:
            return f"a problem document of {sorted(problem)}"
    return None


async def something(home: Home) -> dict[str, str]:
    """Make a worker, a place and a facilitator. Gives their ids by the names of path parameters."""
    operator, rules = Caller(home, "operator", PROGRAMME), home.all_services.services["grouping"].rules[PROGRAMME]
    municipality, slots = rules.municipalities[0].id, [rules.slots[0].id]
    body = {"partner": "isr", "person": {"given_name": "A", "family_name": "B"}, "at": THEN}
    worker = str((await operator("POST", "/enrolment/referrals", body)).json()["worker"])
    await operator(
        "POST", f"/enrolment/workers/{worker}/consents", {"consents": {"participation": True}, "notice": "1991-03"}
    )
    place = {"title": "A", "address": "B", "municipality": municipality}
    assert (await operator("PUT", "/grouping/places/a-place", place)).status_code in {204, 409}
    leader = {"municipality": municipality, "slots": slots}
    assert (await operator("PUT", "/grouping/facilitators/a-leader", leader)).status_code in {204, 409}
    return {
        "worker": worker,
        "place": "a-place",
        "facilitator": "a-leader",
        "instrument": "jobs2-depression",
        "wave": "T0",
    }


async def description(home: Home, service: str) -> dict[str, Any]:
    """The OpenAPI document of a service. Routes that all have alike (`/ops`) are in the first one alone, except when exploring."""
    async with home.client() as client:
        openapi: dict[str, Any] = (await client.get(f"/{service}/openapi.json")).json()
    if service != SERVICES[0] and not exploring():
        openapi["paths"] = {path: item for path, item in openapi["paths"].items() if not path.startswith("/ops")}
    return openapi


@pytest.mark.explore
@pytest.mark.parametrize("service", SERVICES)
async def test_no_request_that_can_be_made_from_the_description_is_a_server_error(home: Home, service: str) -> None:
    openapi = await description(home, service)
    described = [one for path in openapi["paths"].values() for one in path.values() if isinstance(one, dict)]
    roles = {role for one in described for role in one.get("x-roles", [])}
    there = await something(home)
    subjects = {"worker": there["worker"], "facilitator": there["facilitator"]}
    tokens = {role: home.token(role, PROGRAMME, subjects.get(role, "somebody"), "isr") for role in roles}
    answered, found = await asyncio.to_thread(attack, f"{home.base}/{service}", openapi, tokens, there)
    assert not found
    assert answered[401] < answered.total() / 2
    assert sum(n for status, n in answered.items() if status < 300) >= len(described)
    assert not any(each.tasks.over for each in home.all_services.services.values())


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "service", [each for each in SERVICES if each != "analytics"]
)  # which takes no input of its own
async def test_input_that_is_legal_and_strange_is_answered_by_a_rule_and_never_by_a_server_error(
    home: Home, service: str
) -> None:
    there = await something(home)
    openapi = await description(home, service)
    async with home.client() as client:
        subjects = {"worker": there["worker"], "facilitator": there["facilitator"]}
        answered, found = Counter[int](), dict[str, str]()
        drawn = chance()
        for sent, each in enumerate(each for each in requests(openapi, there) if drawn.random() < SHARE):
            headers = {"Content-Type": "application/json"}
            if each.roles:
                role = each.roles[sent % len(each.roles)]
                headers["Authorization"] = (
                    f"Bearer {home.token(role, PROGRAMME, subjects.get(role, 'somebody'), 'isr')}"
                )
            url = f"/{service}{each.path}"
            answer = await client.request(each.method, url, content=each.body, headers=headers, timeout=LONGEST)
            answered[answer.status_code] += 1
            if answer.status_code >= 500 and answer.status_code != 503:
                found.setdefault(f"{each.method} {url}"[:200], f"{answer.status_code} to {(each.body or b'')[:300]!r}")
    assert not found
    assert sum(n for status, n in answered.items() if 400 <= status < 500) > 50 * SHARE
    assert not any(each.tasks.over for each in home.all_services.services.values())
