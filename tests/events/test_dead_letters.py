"""Dead dead_letters, on engines of their own: records that die, events that wait behind them, and the commands of an operator."""

import asyncio
import json
from typing import Any

from services.contracts import encode
from services.events.delivery.state import Record
from services.events.delivery.take import take
from services.events.inbox import batches, dead_letters
from services.events.inbox.effects import Reacting
from services.events.inbox.state import Inbox
from services.runtime import gauges
from services.runtime.service import Service
from services.store.clock import now_utc
from services.store.mongo import Transaction
from services.store.unit import Unit
from tests.helpers.own_engines import (
    Apart,
    changed,
    counted,
    event,
    failing,
    gauge,
    key,
    listening,
    noting,
    subjects,
    tell,
    until_dead,
    until_noted,
)
from tests.helpers.waiting import eventually


async def test_a_redriven_event_is_taken_where_it_died_and_the_parked_and_the_new_follow_in_order(apart: Apart) -> None:
    (bad, good), poison, taken = subjects(2), set[str](), list[str]()
    poison.add(f"{bad}-1")
    service = apart.service(noting(taken, failing(poison)))
    async with listening(service, ["consume", "relay"]):
        await tell(service.bus, *(event(bad, n) for n in range(1, 40)), event(good, 1))
        (dead_letter,) = await until_dead(service, f"{bad}-1")
        await until_noted(service, {good: [1], bad: []})
        assert not {"Mario", "Rossi"} & set(dead_letter["why"].split()), "an exception quotes; a dead letter must not"
        poison.clear()
        status, _ = await apart.ama(service, "dead", "redrive", "grouping", dead_letter["_id"], "--by", "anna")
        assert status == 0
        for n in range(40, 80, 4):  # while those that waited follow
            await tell(service.bus, *(event(bad, each) for each in range(n, n + 4)))
        await until_noted(service, {bad: range(1, 80)})
        assert [id for id in taken if id.startswith(bad)] == [f"{bad}-{n}" for n in range(1, 80)]
        assert await service.store["parked"].count_documents({}) == 0
        assert (await dead_letters.found(service.store, dead_letter["_id"]))["history"][-1]["by"] == "anna"
        on_the_bus = await last_of(service, "ama.enrolment.dead", bad)
        assert on_the_bus["origin"] == dead_letter["origin"]
        assert (on_the_bus["reason"], on_the_bus["consumer"]) == (dead_letter["why"], "reactions")


async def last_of(service: Service, topic: str, subject: str) -> dict[str, str]:
    """The headers of the newest record of this key."""
    reader = service.bus.reader(auto_offset_reset="earliest", isolation_level="read_committed")
    await reader.start()
    try:
        reader.subscribe([topic])

        async def there() -> Any:
            records = [each for some in (await reader.getmany(timeout_ms=200)).values() for each in some]
            return [dict(each.headers) for each in records if each.key == subject.encode()]

        return {name: value.decode() for name, value in (await eventually(there))[-1].items()}
    finally:
        await reader.stop()


async def test_a_redriven_event_that_fails_again_is_dead_again_after_as_many_tries(apart: Apart) -> None:
    (bad,), tried = subjects(1), list[str]()
    poison = {f"{bad}-1"}
    service = apart.service(noting([], failing(poison, tried)))
    async with listening(service):
        await tell(service.bus, event(bad, 1), event(bad, 2))
        (dead_letter,) = await until_dead(service, f"{bad}-1")
        first = len(tried)
        assert not await dead_letters.redrive(service.store, dead_letter["_id"], "anna")
        (again,) = await until_dead(service, f"{bad}-1")
        assert min(first, len(tried) - first) >= batches.ATTEMPTS
        assert [each["what"] for each in again["history"]] == ["died", "redriven", "died"]
        poison.clear()
        await dead_letters.redrive(service.store, dead_letter["_id"], "anna")
        await until_noted(service, {bad: [1, 2]})


async def test_an_event_that_is_parked_while_its_subject_is_let_go_on_is_not_stranded(apart: Apart) -> None:
    """One copy has read that the subject is stopped, and is about to park. Meanwhile a redrive lets another copy take its events."""
    (bad,), poison = subjects(1), set[str]()
    poison.add(f"{bad}-1")
    service = apart.service(noting([], failing(poison)))
    async with listening(service):
        await tell(service.bus, event(bad, 1))
        (dead_letter,) = await until_dead(service, f"{bad}-1")
        read, go_on, tries = asyncio.Event(), asyncio.Event(), 0

        class Slow(Reacting):
            async def prepare(self, events: Any) -> None:
                nonlocal tries
                tries += 1
                await super().prepare(events)
                read.set()
                await go_on.wait()

        async def park(transaction: Transaction) -> None:
            unit = Unit(service.store, transaction, service.holder, now_utc())
            effect = Slow(unit, service.reactions, service.rules, service.telemetry, alone=False)
            record = Record("ama.enrolment", 5, 10**6, None, encode(event(bad, 2)))
            await take([record], Inbox("reactions", service.store, transaction, unit), effect, now_utc())

        parking = asyncio.create_task(service.store.transaction(park))
        await read.wait()
        poison.clear()
        await dead_letters.redrive(service.store, dead_letter["_id"], "anna")
        await until_noted(service, {bad: [1]})
        go_on.set()
        await parking
        await until_noted(service, {bad: [1, 2]})
        assert tries > 1
        assert await service.store["parked"].count_documents({}) == 0


async def test_another_event_at_a_taken_sequence_stops_its_subject_until_it_is_dismissed(apart: Apart) -> None:
    odd, good = subjects(2)
    service = apart.service(noting([]))
    async with listening(service):
        intruder = event(odd, 1, f"{odd}-intruder")
        await tell(service.bus, event(odd, 1), intruder, event(odd, 2), event(odd, 3), event(good, 1))
        (dead_letter,) = await until_dead(service, intruder.id)
        await until_noted(service, {good: [1], odd: [1]})
        status, said = await apart.ama(service, "dead", "redrive", "grouping", dead_letter["_id"])
        assert (status, "has the place of another event" in said) == (1, True)
        await dead_letters.dismiss(service.store, dead_letter["_id"], "anna", "said twice")
        await until_noted(service, {odd: [1, 2, 3]})
        await tell(service.bus, intruder, event(odd, 4))
        await until_noted(service, {odd: [1, 2, 3, 4]})


async def test_the_command_lists_and_shows_dead_letters_and_says_what_cannot_be_done(apart: Apart) -> None:
    bad, *_ = subjects(1)
    service = apart.service(noting([], failing({f"{bad}-1"})))
    async with listening(service):
        await tell(service.bus, event(bad, 1), event(bad, 2), event(bad, 3), (bad, b"no event"))
        (dead_letter,) = await until_dead(service, f"{bad}-1")
        junk = await eventually(lambda: service.store["dead"].find_one({"key": bad.encode(), "subject_key": None}))
        status, listed = await apart.ama(service, "dead", "list", "grouping", "--consumer", "reactions")
        assert status == 0
        for told in (
            dead_letter["_id"],
            junk["_id"],
            "enrolment.worker.referred.v1",
            bad,
            dead_letter["why"],
            "not JSON",
        ):
            assert told in listed
        as_json = json.loads((await apart.ama(service, "dead", "list", "grouping", "--json"))[1])
        assert {dead_letter["_id"], junk["_id"]} <= {each["id"] for each in as_json}
        shown = (await apart.ama(service, "dead", "show", "grouping", dead_letter["_id"]))[1]
        for told in (
            dead_letter["origin"],
            dead_letter["why"],
            "2 of its subject's events wait",
            '"specversion": "1.0"',
        ):
            assert told in shown
        status, said = await apart.ama(service, "dead", "redrive", "grouping", junk["_id"])
        assert (status, "is no event" in said) == (1, True)
        await dead_letters.dismiss(service.store, junk["_id"], "anna", "junk")
        status, said = await apart.ama(service, "dead", "redrive", "grouping", "--all", "reactions")
        assert status == 0
        assert (await dead_letters.found(service.store, dead_letter["_id"]))["status"] in {"redriven", "open"}
        assert (await dead_letters.found(service.store, junk["_id"]))["status"] == "dismissed"
        assert (await apart.ama(service, "dead", "show", "grouping", "nobody"))[0] == 1


async def test_of_an_event_that_breaks_its_schema_the_dead_letter_names_the_field(apart: Apart) -> None:
    bad, worse, good = subjects(3)
    service = apart.service(noting([]))
    async with listening(service):
        await tell(service.bus, changed(event(bad, 1), data={"partner": 7}), changed(event(worse, 1), sequence="one"))
        await tell(service.bus, event(good, 1))
        await until_noted(service, {good: [1]})
        (dead_letter,) = await until_dead(service, f"{bad}-1")
        assert dead_letter["why"].startswith("data.partner: ")
        junk = await eventually(lambda: service.store["dead"].find_one({"key": worse.encode()}))
        assert junk["why"].startswith("sequence: ")


async def test_repeats_disorder_and_unknown_types_leave_one_effect_each_and_every_mark_moved(apart: Apart) -> None:
    one, two = subjects(2)
    unknown = changed(event(one, 2), type="it.amalavoro.enrolment.worker.promoted.v9")
    service = apart.service(noting([]))
    async with listening(service):
        await tell(service.bus, event(one, 1), event(two, 2), event(one, 1), unknown, event(two, 1), unknown)
        await tell(service.bus, event(one, 3), event(two, 1), event(two, 3), event(one, 1))
        await until_noted(service, {one: [1, 3], two: [1, 2, 3]})

        async def all_counted() -> bool:
            return (counted(service, "ignored"), counted(service, "repeated")) >= (1, 4)

        assert await eventually(all_counted)
        assert (counted(service, "ignored"), counted(service, "taken")) == (1, 5)
        mark = await service.store["marks"].find_one({"_id": f"{key(one)}|reactions"})
        assert mark["sequence"] == 3
        assert await service.store["parked"].count_documents({"subject_key": {"$in": [key(one), key(two)]}}) == 0


async def test_what_comes_after_a_gap_is_parked_and_reported_and_follows_when_it_is_filled(
    apart: Apart, caplog: Any
) -> None:
    late, good = subjects(2)
    service = apart.service(noting([]))
    async with listening(service):
        await tell(service.bus, event(late, 1), event(late, 3), event(late, 4), event(good, 1))
        await until_noted(service, {late: [1], good: [1]})

        async def reported() -> bool:
            await gauges.look(service.store, service.runners, service.metrics)
            return gauge(service, "holes") == 2  # language: kept

        assert await eventually(reported)
        assert "events wait for a predecessor that is missing" in caplog.text
        await tell(service.bus, event(late, 2))
        await until_noted(service, {late: [1, 2, 3, 4]})
        await gauges.look(service.store, service.runners, service.metrics)
        assert gauge(service, "holes") == 0  # language: kept
