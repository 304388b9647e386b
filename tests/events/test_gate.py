"""The gate: consents and erasures in any order, whatever fails or cannot be read."""

import random
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import orjson
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from services.contracts import Event, decode_from, encode
from services.contracts.enrolment import ConsentChanged, Purpose, WorkerErased, WorkerReferred
from services.events.delivery.declare import Gate
from services.events.delivery.state import Record
from services.events.delivery.take import take
from services.events.inbox import dead_letters
from services.events.inbox.batches import Batches
from services.events.inbox.gate import GATE, gated
from services.events.inbox.gate_taking import take_in_any_order
from services.kernel import NotYet
from services.runtime.consumers import Consumers
from services.runtime.service import Service, running
from services.settings import Settings
from services.store.consents import Consents
from services.store.work import Work
from services.vault.keyring import service_holder

PROGRAMME, AT = "jobs2", datetime(2026, 3, 1, 9, tzinfo=UTC)
SOURCE = f"/programmes/{PROGRAMME}/enrolment"
Handler = Callable[[str, Work], Any]


def decision(
    person: str, sequence: int, given: bool = True, purpose: Purpose = Purpose.PARTICIPATION, hour: int | None = None
) -> Event[Any]:
    """A decision of the person, by default later than those with a lower sequence."""
    at = AT + timedelta(hours=sequence if hour is None else hour)
    data = ConsentChanged(purpose=purpose, given=given, notice="1", language="it")
    recorded = max(at, AT + timedelta(days=30))
    return Event(f"{person}-{sequence}", SOURCE, data.type, person, at, recorded, sequence, data)


def erasure(person: str, sequence: int) -> Event[Any]:
    at = AT + timedelta(hours=sequence)
    return Event(f"{person}-{sequence}", SOURCE, WorkerErased.type, person, at, at, sequence, WorkerErased())


def records(*events: Event[Any] | bytes, start: int = 0) -> list[Record]:
    values = [each if isinstance(each, bytes) else encode(each) for each in events]
    return [Record("ama.enrolment", 0, start + n, b"key", value) for n, value in enumerate(values)]


def broken(event: Event[Any], **attributes: Any) -> bytes:
    """The event with attributes that it must not have."""
    return orjson.dumps({**orjson.loads(encode(event)), **attributes})


@pytest.fixture
def keeper(settings: Settings) -> Callable[..., Service]:
    """Builds a service with these handlers of consents and erasures."""

    def build(*handlers: Handler) -> Service:
        own, gate = settings.model_copy(update={"database": f"g{uuid.uuid4().hex[:10]}"}), Gate()
        for each in handlers:
            gate.on(ConsentChanged)(each)
            gate.on(WorkerErased)(each)
        return Service("grouping", own, holder=service_holder("grouping", own.keys), gate=gate)

    return build


@pytest_asyncio.fixture
async def service(keeper: Callable[..., Service]) -> AsyncIterator[Service]:
    async with running(keeper(), []) as one:
        yield one


def gate(service: Service) -> Batches:
    begin = Consumers(service).gating
    return Batches(GATE, service.store, begin, service.metrics, 25, taking=take_in_any_order)


async def known(service: Service, person: str) -> Consents:
    found = await service.store["consents"].find_one({"_id": f"{PROGRAMME}/{person}"})
    return Consents.of(found) if found else Consents(person, PROGRAMME)


async def dead(service: Service) -> list[dict[str, Any]]:
    return list(await service.store["dead"].find().sort("_id", 1).to_list(None))


DECISIONS = st.lists(
    st.tuples(st.sampled_from(Purpose), st.booleans(), st.integers(0, 5), st.integers(1, 12)), min_size=1, max_size=12
)


@given(DECISIONS, st.randoms(use_true_random=False))
def test_whatever_the_order_and_the_repeats_of_decisions_the_answer_is_the_same(
    decided: list[tuple[Purpose, bool, int, int]], chance: random.Random
) -> None:
    values = [encode(decision("w", sequence, given, purpose, hour)) for purpose, given, hour, sequence in decided]

    def answers(some: Sequence[bytes]) -> list[bool | None]:
        found = [
            each.document()
            for value in some
            if (seen := gated(value, AT + timedelta(days=60)))
            for each in seen.decisions()
        ]
        consents = Consents("p/w", "p", tuple(found))
        return [consents.allow(purpose) for purpose in Purpose] + [
            consents.allow(purpose, AT + timedelta(hours=2)) for purpose in Purpose
        ]

    shuffled = [*values, *chance.choices(values, k=5)]
    chance.shuffle(shuffled)
    assert answers(shuffled) == answers(values)


async def test_whatever_the_order_the_batches_and_the_repeats_the_state_is_the_same(
    keeper: Callable[..., Service],
) -> None:
    events = [
        *(decision(f"w{n % 3}", n, n % 4 > 0, list(Purpose)[n % 4], hour=n * 7 % 5) for n in range(1, 25)),
        erasure("w2", 25),
    ]
    states = []
    for seed in range(4):
        chance = random.Random(seed)
        order = [*events, *chance.choices(events, k=10)] if seed else events
        if seed:
            chance.shuffle(order)
        async with running(keeper(), []) as one:
            sent, batches = records(*order), gate(one)
            while sent:
                size = chance.randint(1, 12)
                await batches.take(sent[:size])
                sent = sent[size:]
            consents = {each["_id"]: sorted(map(str, each["decisions"])) async for each in one.store["consents"].find()}
            erased = [each["_id"] async for each in one.store["erased"].find()]
            states.append((consents, erased, await one.store["marks"].count_documents({})))
    assert states[0] == (states[0][0], [f"{PROGRAMME}/w2"], 0)
    assert set(states[0][0]) == {f"{PROGRAMME}/w0", f"{PROGRAMME}/w1"}
    assert states == states[:1] * 4


async def test_the_later_decision_in_the_world_counts_when_an_older_form_is_typed_in_after_it(service: Service) -> None:
    withdrawn, older = decision("w", 1, False, hour=9), decision("w", 2, True, hour=3)
    await gate(service).take(records(withdrawn, older))
    assert (await known(service, "w")).allow(Purpose.PARTICIPATION) is False


@pytest.mark.parametrize("wrong", [{"data": {"given": "perhaps"}}, {"data": 7}, {"sequence": "many"}, {"id": None}])
async def test_a_consent_that_cannot_be_read_counts_as_refused_and_holds_nobody_back(
    service: Service, wrong: dict[str, Any]
) -> None:
    purposes = [decision("w", n, True, purpose) for n, purpose in enumerate(Purpose, start=1)]
    poison, after = broken(decision("w", 5), **wrong), decision("v", 1)
    await gate(service).take(records(*purposes, poison, after))
    assert [(await known(service, "w")).allow(each) for each in Purpose] == [False] * 4
    assert (await known(service, "v")).allow(Purpose.PARTICIPATION) is True
    (buried,) = await dead(service)
    assert (buried["consumer"], buried["status"]) == (GATE, "open")
    assert await service.store["parked"].count_documents({}) == 0
    # Later than the time at which the poison was recorded: from then on it counts.
    later = [decision("w", n, True, purpose, hour=31 * 24) for n, purpose in enumerate(Purpose, start=6)]
    if wrong == {"sequence": "many"}:
        assert len({each["at"] for each in (await known(service, "w")).decisions if not each["given"]}) == 1
    await gate(service).take(records(*later, start=6))
    assert [(await known(service, "w")).allow(each) for each in Purpose] == [True] * 4


NOT_RECORDED = {
    "type": ConsentChanged.type, "subject": "w", "source": "/programmes/p/e", "time": "2026-11-30T10:00:00Z"
}  # fmt: skip


@pytest.mark.parametrize(
    "poison",
    [
        orjson.dumps(NOT_RECORDED),
        orjson.dumps({**NOT_RECORDED, "time": [], "recordedtime": {"a": 1}}),
        broken(decision("w", 1), subject="a\0b/c"),
        broken(erasure("w", 1), source="/programmes/a\0b/enrolment"),
        broken(erasure("w", 1), subject="x" * 100_000),
        broken(decision("w", 1), time="2190-01-01T00:00:00Z", recordedtime="2190-01-01T00:00:00Z"),
    ],
)
async def test_no_malformed_record_stops_the_gate(service: Service, poison: bytes) -> None:
    await gate(service).take(records(poison, decision("v", 1)))
    assert (await known(service, "v")).allow(Purpose.PARTICIPATION) is True
    assert (await known(service, "w")).allow(Purpose.PARTICIPATION) is not True
    assert len(await dead(service)) == 1
    (offset,) = await service.store["offsets"].find({"consumer": GATE}).to_list(None)
    assert offset["next"] == 2


async def test_a_second_event_at_one_sequence_is_a_refusal_and_the_dead_letter_of_an_intruder(service: Service) -> None:
    true, forged = decision("w", 1, False), decision("w", 1, True, hour=9)._replace(id="forged")
    await gate(service).take(records(true, forged))
    assert (await known(service, "w")).allow(Purpose.PARTICIPATION) is False
    (buried,) = await dead(service)
    assert (buried["name"], buried["intruder"]) == ("forged", True)
    # The next decision of the person counts again.
    await gate(service).take(records(decision("w", 2, True, hour=10), start=2))
    assert (await known(service, "w")).allow(Purpose.PARTICIPATION) is True


@pytest.mark.parametrize("ordered", [True, False])
async def test_a_record_that_cannot_even_be_buried_is_given_up_unread(
    service: Service, monkeypatch: pytest.MonkeyPatch, *, ordered: bool
) -> None:
    def fault(*given: Any) -> Any:
        if b"poison" in given:
            raise KeyError("a fault of the reader")
        return reader(*given)

    reader: Any = decode_from if ordered else gated
    monkeypatch.setattr("services.events.inbox.gate_taking.gated", fault)
    monkeypatch.setattr("services.events.inbox.batches.backoff", lambda *_, **__: 0.0)
    batches = gate(service)
    if ordered:
        start, taking = Consumers(service).reacting, partial(take, reading=fault)
        batches = Batches("reactions", service.store, start, service.metrics, 25, taking)
    await batches.take(records(b"poison", decision("v", 1)))
    (buried,) = await dead(service)
    assert (buried["value"], buried["origin"]) == (b"poison", "ama.enrolment/0/0")
    assert "KeyError" in buried["why"]
    (offset,) = await service.store["offsets"].find({"consumer": batches.name}).to_list(None)
    assert offset["next"] == 2


async def test_what_is_no_consent_and_no_erasure_is_left_to_the_others(service: Service) -> None:
    referred = Event("w-1", SOURCE, WorkerReferred.type, "w", AT, AT, 1, WorkerReferred(partner="afol"))
    await gate(service).take(records(b"no event", broken(referred, data=7), b"[1]", b'{"type": 1, "source": 2}'))
    assert await dead(service) == []
    assert await service.store["consents"].count_documents({}) == 0


async def test_a_handler_that_fails_leaves_the_state_kept_and_a_dead_letter_that_can_be_redriven(
    keeper: Callable[..., Service],
) -> None:
    fails, ran = {"w"}, list[str]()

    async def handler(person: str, _: Work) -> None:
        if person in fails:
            raise RuntimeError("Mario Rossi cannot be found")
        ran.append(person)

    async with running(keeper(handler), []) as service:
        batches = gate(service)
        await batches.take(records(decision("v", 1), decision("w", 1), erasure("u", 1)))
        assert (await known(service, "w")).allow(Purpose.PARTICIPATION) is True
        assert set(ran) >= {"u", "v"}
        (buried,) = await dead(service)
        assert ("RuntimeError" in buried["why"], "Mario" in buried["why"]) == (True, False)
        fails.clear()
        ran.clear()
        await dead_letters.redrive(service.store, buried["_id"], "anna")
        (parked,) = await service.store["parked"].find().to_list(None)
        await batches.take((), [parked["subject_key"]])
        assert ran == ["w"]
        assert await service.store["parked"].count_documents({}) == 0


async def test_an_erasure_whose_handler_fails_is_not_complete_and_its_person_is_erased_all_the_same(
    keeper: Callable[..., Service],
) -> None:
    fails = [True]

    async def handler(_: str, __: Work) -> None:
        if fails[0]:
            raise RuntimeError("no")

    async with running(keeper(handler), []) as service:
        batches = gate(service)
        await batches.take(records(erasure("w", 1)))
        (entry,) = await service.store["erased"].find().to_list(None)
        assert "done" not in entry
        (buried,) = await dead(service)
        fails[0] = False
        await dead_letters.redrive(service.store, buried["_id"], "anna")
        await batches.take((), [buried["subject_key"]])
        (entry,) = await service.store["erased"].find().to_list(None)
        assert entry["done"]


async def test_nothing_is_kept_about_an_erased_person_any_more(service: Service) -> None:
    await gate(service).take(records(decision("w", 1), erasure("w", 3), decision("w", 2)))
    await gate(service).take(records(decision("w", 2), start=3))
    assert await service.store["consents"].count_documents({}) == 0


async def test_a_handler_that_waits_is_tried_again_and_its_decision_counts_at_once(
    keeper: Callable[..., Service],
) -> None:
    there = list[bool]()

    async def handler(_: str, __: Work) -> None:
        if not there:
            raise NotYet("something")

    async with running(keeper(handler), []) as service:
        batches = gate(service)
        await batches.take(records(decision("w", 1, False)))
        assert (await known(service, "w")).allow(Purpose.PARTICIPATION) is False
        (parked,) = await service.store["parked"].find().to_list(None)
        there.append(True)
        await batches.take((), [parked["subject_key"]])
        assert await service.store["parked"].count_documents({}) == 0
