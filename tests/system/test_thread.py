"""One referral's way through all five services, from an HTTP request to a letter, a partner's feed and a number."""

import asyncio
import mailbox
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from email.policy import default
from typing import Any

import orjson
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from services.contracts.topics import CONTACTS, KEYS, TOPICS
from services.embedded.home import Home
from services.runtime.service import Service
from tests.harness import Caller, eventually, late

PROGRAMME, OTHER = "monza-brianza", "jobs2"
CONSENTS = {"participation": True, "contact": True, "research": True, "partner-feedback": True}
ANSWERS = {f"i{number}": value for number, value in enumerate((4, 3, 5, 2, 4), start=1)}
SCORE = 72.0  # four times the sum
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
READING = {"isolation_level": "read_committed", "enable_auto_commit": False}
Record = dict[str, Any]


def a_monday(weeks: int) -> date:
    """So many weeks from now, or ago."""
    today = datetime.now().astimezone().date()
    return today - timedelta(days=today.weekday()) + timedelta(weeks=weeks)


def written(home: Home, address: str) -> list[Message]:
    """The letters that arrived at this address."""
    letters = mailbox.Maildir(home.data / "mail", factory=None, create=False)
    parsed = [message_from_bytes(letters.get_bytes(key), policy=default) for key in letters.iterkeys()]
    return [each for each in parsed if address in str(each["To"])]


def client(home: Home) -> dict[str, Any]:
    """How any client of this bus connects."""
    given = home.settings
    secured = {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": given.sasl_mechanism,
        "sasl_plain_username": given.sasl_username,
        "sasl_plain_password": given.sasl_password,
    }
    return {"bootstrap_servers": given.kafka} | (secured if given.sasl_username else {})


async def records(home: Home, *topics: str) -> list[ConsumerRecord]:
    """Everything committed on these topics, or on all, read with a client that knows nothing of the services."""
    consumer, admin = AIOKafkaConsumer(**client(home), **READING), AIOKafkaAdminClient(**client(home))
    await consumer.start()
    await admin.start()
    try:
        wanted = topics or [name for name in await admin.list_topics() if not name.startswith("__")]
        described = await admin.describe_topics(list(wanted))
        parts = [TopicPartition(each["topic"], p["partition"]) for each in described for p in each["partitions"]]
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        ends, found = await consumer.end_offsets(parts), []
        while [part for part in parts if await consumer.position(part) < ends[part]]:
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                found += batch
        return found
    finally:
        await admin.close()
        await consumer.stop()


async def feed(home: Home, partner: str) -> list[Record]:
    """The partner's ledger as the partner reads it."""
    return [orjson.loads(each.value) for each in await records(home, f"ama.feed.{partner}")]


def kind(entry: Record) -> str:
    return str(entry["type"]).removeprefix("it.amalavoro.feed.").removesuffix(".v1")


async def until(home: Home, partner: str, check: Callable[[list[Record]], Any]) -> list[Record]:
    """The ledger, once it is like that."""

    async def there() -> list[Record]:
        entries = await feed(home, partner)
        return entries if check(entries) else []

    found: list[Record] = await eventually(there, 40)
    return found


async def settled(home: Home) -> None:
    """Everything said so far is on the bus, and taken by all."""
    services = home.house.services.values()

    async def level() -> bool:
        said = {letter["_id"] for each in services for letter in await events_said(each)}
        there = {orjson.loads(each.value)["id"] for each in await records(home) if is_event(each)}
        behind = await late(services)
        unsaid.update(missing=len(said - there), late=behind)
        return not (said - there or behind)

    unsaid: dict[str, Any] = {}
    try:
        await eventually(level, 40)
    except AssertionError as error:
        raise AssertionError(f"not level: {unsaid}") from error


async def events_said(service: Service) -> list[Record]:
    """What stands in its outbox, but for records of compacted topics and dead letters."""
    events = {"$nin": [KEYS.name, CONTACTS.name, *(name for name in TOPICS if name.endswith(".dead"))]}
    found: list[Record] = await service.store["outbox"].find({"topic": events}).to_list(None)
    return found


def is_event(record: ConsumerRecord) -> bool:
    """A structured event, by its header."""
    return bool(record.value) and ("content-type", b"application/cloudevents+json") in record.headers


@dataclass(frozen=True)
class People:
    """What acts of people are needed before anything can be shown."""

    home: Home
    programme: str = PROGRAMME
    slot: str = "mon-evening"

    def caller(self, role: str, subject: str | None = None, partner: str | None = None) -> Caller:
        return Caller(self.home, role, self.programme, subject, partner)

    async def refer(self, partner: str = "cgil", **card: str) -> str:
        profile = {"municipality": "monza", "slots": [self.slot]}
        body = {"person": {"given_name": "Ada", "family_name": "Filo", **card}, "profile": profile}
        answer = await self.caller("referrer", partner=partner)("POST", "/enrolment/referrals", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["worker"])

    async def consent(self, worker: str, **consents: bool) -> None:
        given = {name.replace("_", "-"): value for name, value in consents.items()}
        answer = await self.caller("worker", worker)(
            "POST", f"/enrolment/workers/{worker}/consents", {"consents": given, "notice": "2026-09"}
        )
        assert answer.status_code == 204, answer.text

    async def admit(self, partner: str = "cgil", **card: str) -> str:
        """Referred, consenting to everything, admitted."""
        worker = await self.refer(partner, **card)
        await self.consent(worker, **CONSENTS)
        answer = await self.caller("operator")("POST", f"/enrolment/workers/{worker}/admission")
        assert answer.status_code == 204, answer.text
        return worker

    async def form(self, members: Sequence[str], first: date, name: str) -> str:
        """A group of these, with a place and a facilitator of its own."""
        operator = self.caller("operator")
        place = {"title": f"Casa {name}", "address": "Via Correggio 59", "municipality": "monza"}
        leader = {"municipality": "monza", "slots": [self.slot]}
        assert (await operator("PUT", f"/grouping/places/{name}", place)).status_code == 204
        assert (await operator("PUT", f"/grouping/facilitators/{name}-leader", leader)).status_code == 204
        body = {
            "members": list(members),
            "slot": self.slot,
            "place": name,
            "facilitator": f"{name}-leader",
            "first": str(first),
        }

        async def formed() -> Any:
            answer = await operator("POST", "/grouping/groups", body)
            known = answer.status_code == 201 or answer.json()["code"] in {"no-such-seeker", "not-waiting"}
            assert known, answer.text
            return answer.json().get("group")

        return str(await eventually(formed))

    async def meetings(self, group: str, leader: str) -> list[Record]:
        """The calendar, once it is whole."""
        facilitator = self.caller("facilitator", f"{leader}-leader")

        async def scheduled() -> list[Record]:
            answer = await facilitator("GET", f"/sessions/groups/{group}/sessions")
            return answer.json() if answer.status_code == 200 and len(answer.json()) == 18 else []

        found: list[Record] = await eventually(scheduled)
        return found

    async def call_roll(self, meeting: str, leader: str, present: Sequence[str]) -> None:
        facilitator = self.caller("facilitator", f"{leader}-leader")

        async def called() -> bool:  # a member is on the roster a moment after the meeting is in the calendar
            answer = await facilitator("PUT", f"/sessions/sessions/{meeting}/roll-call", {"present": list(present)})
            assert answer.status_code == 204 or answer.json()["code"] == "not-a-member", answer.text
            return answer.status_code == 204

        await eventually(called)

    async def answer(self, worker: str, answers: Mapping[str, float] = ANSWERS) -> None:
        me = self.caller("worker", worker)

        async def submitted() -> bool:
            answer = await me("PUT", f"/sessions/workers/{worker}/surveys/who5/T0", {"answers": dict(answers)})
            assert answer.status_code in {204, 404, 409}, answer.text
            return answer.status_code == 204

        await eventually(submitted)

    async def indicators(self) -> Record:
        answer = await self.caller("operator")("GET", "/analytics/indicators")
        assert answer.status_code == 200, answer.text
        told: Record = answer.json()
        return told

    async def indicators_once(self, check: Callable[[Record], Any]) -> Record:
        """The indicators, once they are like that."""

        async def there() -> Record | None:
            told = await self.indicators()
            return told if check(told) else None

        found: Record = await eventually(there)
        return found


def who5(told: Record) -> tuple[int, float]:
    """How many who sit have scored, and the sum of their scores."""
    for each in told["means"]:
        if (each["instrument"], each["wave"]) == ("who5", "T0"):
            return each["seated"]["n"], each["seated"]["n"] * (each["seated"]["mean"] or 0)
    return 0, 0.0


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


async def test_eighteen_meetings_are_scheduled_a_fortnight_apart_at_the_same_local_time(thread: Thread) -> None:
    meetings = await thread.people.meetings(thread.ahead, "thread-ahead")
    days = [datetime.fromisoformat(each["starts"]) for each in meetings]
    assert [each["number"] for each in meetings] == list(range(1, 19))
    assert [each.date() for each in days] == [thread.first + timedelta(days=14 * n) for n in range(18)]
    assert {each.strftime("%H:%M") for each in days} == {"18:30"}
    assert {each["place"] for each in meetings} == {"thread-ahead"}


async def test_a_letter_names_slot_place_and_first_date(home: Home, thread: Thread) -> None:
    async def arrived() -> list[Message]:
        return written(home, "filo7@example.org")

    letters = await eventually(arrived)
    assert len(letters) == 1
    text, day = letters[0].get_content(), thread.first
    for named in ("Ada", "lunedì alle ore 18:30", "Casa thread-ahead, Via Correggio 59"):
        assert named in text
    assert f"Primo incontro: lunedì {day.day} {MONTHS[day.month - 1]} {day.year}" in text


async def test_the_referrer_reads_each_step_once_in_a_ledger_without_gaps(home: Home, thread: Thread) -> None:
    entries = await until(home, "cgil", lambda found: len(found) >= thread.heads + 60)
    assert [int(each["sequence"]) for each in entries] == list(range(1, len(entries) + 1))
    steps: dict[str, list[str]] = {}
    for each in entries[thread.heads :]:
        steps.setdefault(each["subject"], []).append(kind(each))
    assert list(steps.values()) == [["worker.referred", "worker.admitted", "worker.seated"]] * 20


async def test_the_referral_comes_out_as_numbers(thread: Thread) -> None:
    people, before = thread.people, thread.before
    meetings = await people.meetings(thread.begun, "thread-begun")
    await people.call_roll(meetings[0]["session"], "thread-begun", thread.met[:7])
    for worker in thread.met[:3]:
        await people.answer(worker)
    n, total = who5(before)
    told = await people.indicators_once(
        lambda now: now["attendance"]["present"] == before["attendance"]["present"] + 7 and who5(now)[0] == n + 3
    )
    grown = {name: told[name] - before[name] for name in told if isinstance(told[name], int)}
    assert grown == {
        "referred": 20, "admitted": 20, "declined": 0, "seated": 20, "waiting": 0, "withdrawn": 0, "found_work": 0,
        "took_part": 7, "meetings_scheduled": 36, "meetings_held": 1,
    }  # fmt: skip
    assert told["groups"] == sorted([*before["groups"], 10, 10])
    assert told["attendance"]["members"] == before["attendance"]["members"] + 10
    assert who5(told)[1] == pytest.approx(total + 3 * SCORE)


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
    ):
        answer = await stranger[role](method, path)
        assert answer.status_code == 404, (method, path, answer.text)
    empty = [
        (await stranger["operator"]("GET", f"/sessions/workers/{worker}/surveys")).json(),
        (await stranger["administrator"]("GET", f"/enrolment/workers/{worker}/accesses")).json(),
    ]
    assert empty == [[], []]
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
    for each in home.house.services.values():
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
    ours, rules = thread.people, home.house.services["enrolment"].rules[OTHER]
    here, there = await ours.indicators(), await People(home, OTHER).indicators()
    theirs = People(home, OTHER, rules.slots[0].id)
    body = {"partner": rules.partners[0].id, "person": {"given_name": "Eva", "family_name": "Altrove"}}
    worker = (await theirs.caller("operator")("POST", "/enrolment/referrals", body)).json()["worker"]
    await theirs.consent(worker, **CONSENTS)
    told = await theirs.indicators_once(lambda now: now["referred"] == there["referred"] + 1)
    assert told["programme"] == OTHER
    assert (await ours.indicators()) == here
