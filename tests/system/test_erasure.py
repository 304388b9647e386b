"""Erasure of a person: no service, topic, database, feed or number holds their data afterwards."""

from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass

import bson
import orjson
import pytest_asyncio

from services import vault
from services.contracts.topics import CONTACTS, KEYS
from services.embedded.home import Home
from services.events.inbox.projections import collection_of
from services.operations.rebuild import rebuild
from services.runtime.service import Service
from tests.helpers.people import PROGRAMME, scored
from tests.helpers.records import Record, events_said, feed, is_event, kind, records, settled, until
from tests.helpers.waiting import eventually
from tests.system.canaries import Scene, keys_held, knowing, opens, payloads, scene

__all__ = ["scene"]


@dataclass
class Erasure:
    """Numbers, payloads and feed as they were before the erasure."""

    scene: Scene
    before: Record
    payloads: list[str]
    feed: int


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def erasure(home: Home, scene: Scene) -> AsyncIterator[Erasure]:
    people, worker = scene.people, scene.gone.worker
    await settled(home)
    said, before, length = await payloads(home, worker), await people.indicators(), len(await feed(home, "cgil"))
    assert len(said) >= 4, "a profile, two attendances, a score"
    held = await keys_held(home, worker)
    assert all(opens(key, each) for each in said for kept in held.values() for _, key in kept)
    assert {name for name, kept in held.items() if kept} == set(home.all_services.services)
    answer = await people.caller("worker", worker)("DELETE", f"/enrolment/workers/{worker}")
    assert answer.status_code == 204, answer.text

    async def everywhere() -> bool:
        _id = f"{PROGRAMME}/{worker}"
        return all([await each.store["erased"].find_one({"_id": _id}) for each in home.all_services.services.values()])

    await eventually(everywhere)
    await settled(home)
    yield Erasure(scene, before, said, length)


async def test_after_erasure_enrolment_answers_without_data_and_refuses_every_act(erasure: Erasure) -> None:
    people, worker = erasure.scene.people, erasure.scene.gone.worker
    operator = people.caller("operator")
    shown = await operator("GET", f"/enrolment/workers/{worker}")
    assert shown.status_code in {200, 410}
    if shown.status_code == 200:
        assert (shown.json()["card"], shown.json()["profile"], shown.json()["status"]) == ({}, None, "erased")
    acts = (
        ("PUT", "profile", {"municipality": "monza", "slots": ["wed-evening"]}),
        ("POST", "consents", {"consents": {"contact": True}, "notice": "2026-09"}),
    )
    for method, act, body in acts:
        answer = await operator(method, f"/enrolment/workers/{worker}/{act}", body)
        assert (answer.status_code, answer.json()["code"]) == (410, "erased"), act
    again = await people.caller("administrator")("DELETE", f"/enrolment/workers/{worker}")
    assert again.status_code == 410
    seen = await people.caller("administrator")("GET", f"/enrolment/workers/{worker}/accesses")
    assert seen.json() == []


async def test_after_erasure_no_service_holds_key_or_card_and_none_can_open_what_was_said(
    home: Home, erasure: Erasure
) -> None:
    worker = erasure.scene.gone.worker
    for service in home.all_services.services.values():
        for table in ("keys", "contacts"):
            assert await service.store[table].find_one({"_id": f"{PROGRAMME}/{worker}"}) is None
    said = await payloads(home, worker)
    assert set(said) >= set(erasure.payloads)
    held = await keys_held(home)
    assert sum(map(len, held.values())) > 0
    assert not [(name, whose) for name, kept in held.items() for whose, key in kept if any(opens(key, s) for s in said)]


async def test_after_erasure_the_newest_record_of_the_person_on_a_compacted_topic_is_a_tombstone(
    home: Home, erasure: Erasure
) -> None:
    worker = erasure.scene.gone.worker.encode()
    for topic in (KEYS.name, CONTACTS.name):
        mine = [each for each in await records(home, topic) if each.key == worker]
        assert len({each.partition for each in mine}) == 1
        assert max(mine, key=lambda each: each.offset).value is None
        sequences = [int(dict(each.headers)["sequence"]) for each in mine]
        assert sequences == sorted(sequences)


async def test_after_erasure_only_bookkeeping_knows_the_id(home: Home, erasure: Erasure) -> None:
    found = knowing(home, erasure.scene.gone.worker)
    left = {name: kept for name, kept in found.items() if name.partition(".")[2] not in {"erased", "outbox", "marks"}}
    assert set(left) == {"enrolment.worker"}, left
    (worker,) = left["enrolment.worker"]
    assert {name: worker["state"][name] for name in ("status", "card", "profile", "consents")} == {
        "status": "erased", "card": {}, "profile": None, "consents": {},
    }  # fmt: skip


async def test_after_erasure_the_person_is_in_no_number(erasure: Erasure) -> None:
    now, before = await erasure.scene.people.indicators(), erasure.before
    for name, gone in {"referred": 1, "admitted": 1, "seated": 1, "took_part": 1, "meetings_held": 0}.items():
        assert now[name] == before[name] - gone, name
    assert now["attendance"]["present"] == before["attendance"]["present"] - 2
    assert scored(now) == scored(before) - 1


async def test_a_rebuild_after_erasure_comes_out_without_the_person_and_as_the_live_one(
    home: Home, erasure: Erasure
) -> None:
    for name in ("enrolment", "grouping", "sessions", "analytics"):
        service = home.all_services.services[name]
        live = await rows_of(service)
        await rebuild(service, lambda *_: None)
        built = await rows_of(service)
        assert built == live, name
        assert not [each for rows in built.values() for each in rows if erasure.scene.gone.worker.encode() in each]


async def rows_of(service: Service) -> dict[str, list[bytes]]:
    """The live rows of each projection, as bytes."""
    live = await service.read_models.live()
    found = {
        each: service.store[collection_of(each, live)].find().sort("_id", 1) for each in service.read_models.projections
    }
    return {name: [bson.encode(dict(sorted(row.items()))) async for row in rows] for name, rows in found.items()}


async def test_the_partner_that_was_told_is_told_to_delete(home: Home, erasure: Erasure) -> None:
    secret, worker = vault.secret_of(home.settings.keys, "pseudonyms"), erasure.scene.gone.worker
    name = vault.pseudonym(secret, PROGRAMME, "cgil", worker)
    entries = await until(home, "cgil", lambda found: len(found) > erasure.feed)
    now = [kind(each) for each in entries if each["subject"] == name]
    assert now == ["worker.referred", "worker.admitted", "worker.seated", "worker.erased"]
    assert [int(each["sequence"]) for each in entries] == list(range(1, len(entries) + 1))


async def test_every_sequence_on_every_topic_is_whole(home: Home, erasure: Erasure) -> None:
    said = {e["_id"]: e for s in home.all_services.services.values() for e in await events_said(s)}
    seen: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for each in await records(home):
        if is_event(each) and (event := orjson.loads(each.value))["id"] in said:
            assert each.key.decode() == event["subject"]
            seen[each.topic, event["source"], event["subject"]].append(int(event["sequence"]))
    assert any(subject == erasure.scene.gone.worker for _, _, subject in seen)
    assert sum(len({*each}) for each in seen.values()) == len(said)
    for subject, sequences in seen.items():
        first = sorted({*sequences}, key=sequences.index)
        assert first == list(range(1, len(first) + 1)), subject
