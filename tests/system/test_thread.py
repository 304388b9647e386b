"""One referral's way through all five services, from an HTTP request to a message, a partner's feed and a number."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email.message import Message

import orjson
import pytest
import pytest_asyncio

from services.embedded.home import Home
from tests.helpers.people import CONSENTS, OTHER, PROGRAMME, SCORES, THEN, People, a_monday, scored, written
from tests.helpers.records import Record, feed, is_event, kind, records, settled, until
from tests.helpers.waiting import eventually

MONTHS = [
    "gennaio",
    "febbraio",
    "marzo",
    "aprile",
    "maggio",
    "giugno",
    "luglio",
    "agosto",
    "settembre",
    "ottobre",
    "novembre",
    "dicembre",
]


@dataclass(frozen=True)
class Thread:
    """Twenty people, referred by one partner: ten who will meet, ten who have met."""

    people: People
    before: Record
    heads: int
    coming: list[str]
    met: list[str]
    ahead: str
    begun: str
    first: date


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def thread(home: Home) -> AsyncIterator[Thread]:
    people = People(home)
    await settled(home)
    before, heads = await people.indicators(), len(await feed(home, "cgil"))
    coming = await asyncio.gather(*(people.admit(email=f"filo{n}@example.org") for n in range(10)))
    met = await asyncio.gather(*(people.admit() for _ in range(10)))
    first = a_monday(3)
    ahead = await people.form(coming, first, "thread-ahead")
    begun = await people.form(met, a_monday(-3), "thread-begun")
    yield Thread(people, before, heads, coming, met, ahead, begun, first)


async def test_eighteen_meetings_are_scheduled_a_fortnight_apart_but_on_holidays_at_the_same_local_time(
    thread: Thread,
) -> None:
    meetings = await thread.people.meetings(thread.ahead, "thread-ahead")
    days = [datetime.fromisoformat(each["starts"]) for each in meetings]
    assert [each["number"] for each in meetings] == list(range(1, 19))
    rules = thread.people.home.all_services.services["sessions"].rules[PROGRAMME]
    fortnights = (thread.first + timedelta(days=14 * n) for n in range(30))
    working = [each for n, each in enumerate(fortnights) if n == 0 or not rules.is_holiday(each)]
    assert [each.date() for each in days] == working[:18]
    assert {each.strftime("%H:%M") for each in days} == {"18:30"}
    assert {each["place"] for each in meetings} == {"thread-ahead"}


async def test_a_message_names_place_and_first_meeting(home: Home, thread: Thread) -> None:
    async def arrived() -> list[Message]:
        # The invitation to the first survey comes at its own time, before or after.
        return [each for each in written(home, "filo7@example.org") if "Il tuo posto" in str(each["Subject"])]

    messages = await eventually(arrived)
    assert len(messages) == 1
    text, day = messages[0].get_content(), thread.first
    for named in ("Ada", "Casa thread-ahead, Via Correggio 59"):
        assert named in text
    assert f"Primo incontro: lunedì {day.day} {MONTHS[day.month - 1]} {day.year}, alle ore 18:30" in text


async def test_the_referrer_reads_each_step_once_in_a_ledger_without_gaps(home: Home, thread: Thread) -> None:
    entries = await until(home, "cgil", lambda found: len(found) >= thread.heads + 60)
    assert [int(each["sequence"]) for each in entries] == list(range(1, len(entries) + 1))
    steps: dict[str, list[str]] = {}
    for each in entries[thread.heads :]:
        steps.setdefault(each["subject"], []).append(kind(each))
    assert list(steps.values()) == [["worker.referred", "worker.admitted", "worker.seated"]] * 20


async def test_the_referral_comes_out_as_numbers(home: Home, thread: Thread) -> None:
    people, before = thread.people, thread.before
    meetings = await people.meetings(thread.begun, "thread-begun")
    await people.call_roll(meetings[0]["session"], "thread-begun", thread.met[:7])
    for worker in thread.met[:3]:
        await people.answer(worker)
    n = scored(before)
    after = await people.indicators_once(
        lambda now: now["attendance"]["present"] == before["attendance"]["present"] + 7 and scored(now) == n + 3
    )
    grown = {name: after[name] - before[name] for name in after if isinstance(after[name], int)}
    assert grown == {
        "referred": 20, "admitted": 20, "declined": 0, "seated": 20, "waiting": 0, "withdrawn": 0, "found_work": 0,
        "took_part": 7, "meetings_scheduled": 36, "meetings_held": 1, "groups_running": 2, "groups_concluded": 0,
    }  # fmt: skip
    assert after["groups"] == sorted([*before["groups"], 10, 10])
    assert after["attendance"]["members"] == before["attendance"]["members"] + 10
    models = home.all_services.services["analytics"].read_models
    rows = models.rows("scores", {"programme": people.programme, "person": {"$in": list(thread.met)}})
    assert [each["scores"] async for each in rows if "scores" in each] == [pytest.approx(SCORES)] * 3


async def test_the_worker_carries_one_correlation_and_one_trace_from_the_request_on(home: Home, thread: Thread) -> None:
    events = [
        orjson.loads(each.value)
        for each in await records(home, "ama.enrolment", "ama.enrolment.restricted")
        if is_event(each)
    ]
    mine = [each for each in events if each["subject"] == thread.coming[0]]
    referred = next(each for each in mine if each["type"] == "it.amalavoro.enrolment.worker.referred.v1")
    profiled = next(each for each in mine if each["type"] == "it.amalavoro.enrolment.worker.profiled.v1")
    admitted = next(each for each in mine if each["type"] == "it.amalavoro.enrolment.worker.admitted.v1")
    assert profiled["correlationid"] == referred["correlationid"]
    assert profiled["traceparent"][3:35] == referred["traceparent"][3:35]
    pool = [orjson.loads(each.value) for each in await records(home, "ama.grouping") if is_event(each)]
    (waits,) = [each for each in pool if each["subject"] == thread.coming[0] and "waitlisted" in each["type"]]
    assert waits["causationid"] in {admitted["id"], profiled["id"]}
    assert waits["traceparent"][3:35] in {each["traceparent"][3:35] for each in (admitted, profiled)}


async def test_of_two_programmes_side_by_side_neither_sees_the_other(home: Home, thread: Thread) -> None:
    ours, theirs = thread.people, People(home, OTHER, "tue-morning")
    worker, group = thread.met[0], thread.begun
    meeting = (await ours.meetings(group, "thread-begun"))[0]["session"]
    here, there = await ours.indicators(), await theirs.indicators()
    stranger = {role: theirs.caller(role) for role in ("operator", "administrator", "facilitator")}
    for role, method, path in (
        ("operator", "GET", f"/enrolment/workers/{worker}"),
        ("operator", "POST", f"/enrolment/workers/{worker}/admission"),
        ("administrator", "DELETE", f"/enrolment/workers/{worker}"),
        ("operator", "GET", f"/sessions/groups/{group}/sessions"),
        ("operator", "GET", f"/sessions/sessions/{meeting}"),
        ("operator", "GET", f"/sessions/workers/{worker}/surveys"),
        ("administrator", "GET", f"/enrolment/workers/{worker}/accesses"),
    ):
        answer = await stranger[role](method, path)
        assert answer.status_code == 404, (method, path, answer.text)
    for path in ("/enrolment/workers?limit=1000", "/grouping/groups", "/notifications/messages"):
        shown = await stranger["operator"]("GET", path)
        assert worker not in shown.text
        assert group not in shown.text
    partner = there["referrals"][0]["partner"] if there["referrals"] else None
    assert partner not in {each["partner"] for each in here["referrals"]}
    referred = await theirs.caller("operator")(
        "POST", "/enrolment/referrals", {"partner": "cgil", "person": {"given_name": "A", "family_name": "B"}}
    )
    assert (referred.status_code, referred.json()["code"]) == (422, "no-such-partner")
    assert await ours.indicators() == here


async def test_a_place_and_a_facilitator_are_not_called_the_same(thread: Thread) -> None:
    operator = thread.people.caller("operator")
    place = {"title": "Casa", "address": "Via Roma 1", "municipality": "monza"}
    leader = {"municipality": "monza", "slots": ["mon-evening"]}
    for path, body in (("places/thread-ahead-leader", place), ("facilitators/thread-ahead", leader)):
        answer = await operator("PUT", f"/grouping/{path}", body)
        assert (answer.status_code, answer.json()["code"]) == (409, "id-taken")


async def test_no_event_was_put_aside_on_the_way(home: Home, thread: Thread) -> None:
    await settled(home)
    for each in home.all_services.services.values():
        assert (
            await each.store["outbox"]
            .find(
                {
                    "topic": {"$regex": "dead$"},
                    "key": {
                        "$in": [*thread.coming, *thread.met, thread.ahead, thread.begun, "thread-ahead", "thread-begun"]
                    },
                }
            )
            .to_list(None)
            == []
        )


async def test_what_happens_in_one_programme_moves_no_number_of_the_other(home: Home, thread: Thread) -> None:
    ours, rules = thread.people, home.all_services.services["enrolment"].rules[OTHER]
    here, there = await ours.indicators(), await People(home, OTHER).indicators()
    theirs = People(home, OTHER, rules.slots[0].id)
    person = {"given_name": "Eva", "family_name": "Altrove"}
    body = {"partner": rules.partners[0].id, "person": person, "at": THEN}
    worker = (await theirs.caller("operator")("POST", "/enrolment/referrals", body)).json()["worker"]
    await theirs.consent(worker, **CONSENTS)
    after = await theirs.indicators_once(lambda now: now["referred"] == there["referred"] + 1)
    assert after["programme"] == OTHER
    assert (await ours.indicators()) == here
