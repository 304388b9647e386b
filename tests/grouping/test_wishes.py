"""Wishes for two people, and for colleagues or others, come in through the API and are kept in the groups that come out."""

import asyncio
import subprocess
import sys
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings

from grouping.fitting import can_sit_together
from grouping.formation import Problem, solve
from grouping.formation.helping import advise
from grouping.formation.search import solve as searched
from grouping.formation.settled import hopeless, wanting
from grouping.proposals.queries import explained
from services.embedded.home import Home
from services.kernel import Refused
from tests.grouping.door import PROGRAMME, a_facilitator, a_place, admitted
from tests.helpers.callers import Caller
from tests.helpers.problems import person, problems, small
from tests.helpers.waiting import eventually

WHERE: dict[str, Any] = {"municipality": "lentate-sul-seveso", "travel_km": 2, "slots": ["wed-morning"]}


@pytest.fixture
def operator(home: Home) -> Caller:
    return Caller(home, "operator", PROGRAMME)


async def refused(operator: Caller, path: str, body: dict[str, Any]) -> str:
    answer = await operator("POST", path, body)
    assert answer.status_code == 409, answer.text
    return str(answer.json()["code"])


async def test_a_companys_list_comes_out_as_its_group_and_who_is_to_be_apart_is_not_seated_together(
    home: Home, operator: Caller
) -> None:
    listed, others = await asyncio.gather(
        admitted(home, 10, employer="lista-spa", among="colleagues", **WHERE), admitted(home, 11, **WHERE)
    )
    await a_place(operator, "lentate-hall", rooms=2, municipality=WHERE["municipality"])
    for name in ("lentate-f1", "lentate-f2"):
        await a_facilitator(operator, name, municipality=WHERE["municipality"], slots=WHERE["slots"])
    pair = f"/grouping/workers/{others[1]}/pairs/{others[0]}"
    assert (await operator("PUT", pair, {"wish": "apart"})).status_code == 204
    proposal = (await operator("POST", "/grouping/proposals", {"on": "2027-01-04"})).json()
    ours = {each["kind"]: each for each in proposal["groups"] if each["place"] == "lentate-hall"}
    assert set(ours["homogeneous"]["members"]) == set(listed)
    assert set(ours["heterogeneous"]["members"]) > set(others[2:])
    (waits,) = [each for each in proposal["unplaced"] if each["id"] in others]
    assert (waits["id"] in others[:2], waits["reasons"]) == (True, ["apart"])
    assert len(proposal["worth"]) == len(proposal["groups"])
    assert all(each["why"] for each in proposal["worth"])
    assert await refused(operator, "/grouping/groups", ours["heterogeneous"] | {"members": others[:10]}) == "apart"
    mixed = [*listed[:9], others[2]]
    assert (
        await refused(operator, "/grouping/groups", ours["homogeneous"] | {"members": mixed}) == "not-among-colleagues"
    )
    formed = {}
    for kind, each in ours.items():
        formed[kind] = f"/grouping/groups/{(await operator('POST', '/grouping/groups', each)).json()['group']}/members"
    late = {"worker": waits["id"]}
    assert await refused(operator, formed["homogeneous"], late) == "not-among-colleagues"
    assert await refused(operator, formed["heterogeneous"], late) == "apart"
    assert (await operator("DELETE", pair)).status_code == 204
    assert (await operator("POST", formed["heterogeneous"], late)).status_code == 201
    profile = {**WHERE, "among": "colleagues"}
    answer = await operator("PUT", f"/enrolment/workers/{others[0]}/profile", profile)
    assert (answer.status_code, answer.json()["code"]) == (422, "no-employer")


async def test_what_is_asked_of_two_people_is_said_once_readable_by_nobody_else_and_ends_with_either(
    home: Home, operator: Caller
) -> None:
    one, other = await admitted(home, 2)
    for a, b in ((one, other), (other, one)):
        assert (await operator("PUT", f"/grouping/workers/{a}/pairs/{b}", {"wish": "together"})).status_code == 204
    assert (await operator("GET", f"/grouping/workers/{one}/pairs")).json() == [{"mate": other, "wish": "together"}]
    assert (await operator("PUT", f"/grouping/workers/{one}/pairs/{one}", {"wish": "apart"})).status_code == 422
    store = home.all_services.services["grouping"].store
    (pair,) = [each async for each in store["pair"].find({"state.one": {"$in": [one, other]}})]
    (row,) = [each async for each in store["outbox"].find({"key": pair["state"]["id"]})]
    assert row["topic"] == "ama.grouping.restricted"
    assert b"together" not in row["value"]
    assert other.encode() not in row["value"] or one.encode() not in row["value"]
    assert "together" not in str(pair["state"])
    erased = await Caller(home, "administrator", PROGRAMME)("DELETE", f"/enrolment/workers/{max(one, other)}")
    assert erased.status_code == 204

    async def gone() -> bool:
        return await store["pair"].find_one({"_id": pair["_id"]}) is None

    await eventually(gone)


@given(problems())
@settings(max_examples=60, deadline=None)
def test_what_is_answered_without_a_search_is_what_a_search_finds(asked: Problem) -> None:
    everybody = tuple(each.model_copy(update={"not_before": date(2026, 10, 1)}) for each in asked.people)
    later = asked.model_copy(update={"people": everybody})
    assert not wanting(later)
    assert solve(later, 3) == searched(later, 3)
    answer = solve(asked)
    if hopeless(asked, answer):
        assert advise(asked, answer, 60) == answer


def test_no_loop_is_loaded_where_nobody_wants_a_seat() -> None:
    code = "import sys; from grouping.formation import Problem, solve; solve(Problem.model_validate_json(sys.argv[1]));"
    asked = Problem.model_validate(small(people=[])).model_dump_json(by_alias=True)
    done = subprocess.run([sys.executable, "-c", f"{code} sys.exit('numba' in sys.modules)", asked], check=False)
    assert done.returncode == 0


def test_a_figure_that_nobody_is_there_to_have_is_none_and_who_waits_is_told_for_what() -> None:
    people = [person(n, company="acme", **{"with": "colleagues"}) for n in range(2)] + [person(3, slots=["b"])]
    asked = Problem.model_validate(small(people=people))
    found = explained(asked, solve(asked))
    assert (found["diversity"], found["bound"]) == (None, None)
    assert [each["together"] for each in found["worth"]] == [0]
    assert found["waiting_for"] == ["too few for a group on b at v0: 1 person waits for it, 2 are needed"]


def test_a_refusal_for_a_wish_names_nobody() -> None:
    asked = Problem.model_validate(small(people=[person(n) for n in range(3)], apart=[("p0", "p2")]))
    with pytest.raises(Refused) as refused:
        can_sit_together(asked, asked.people)
    assert refused.value.code == "apart"
    assert not any(each.id in str(refused.value) for each in asked.people)
    assert refused.value.members == {}
