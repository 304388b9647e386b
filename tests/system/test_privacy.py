"""Data about a person: nobody reads it without the right to, and nobody at all after erasure."""

import base64
import re
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import bson
import orjson
import pytest
import pytest_asyncio
from aiokafka import ConsumerRecord
from pymongo import MongoClient

from services import vault
from services.contracts.topics import CONTACTS, KEYS, TOPICS
from services.embedded.home import Home
from services.operations.rebuild import rebuild
from tests.helpers.engines import choose
from tests.helpers.people import PROGRAMME, People, a_monday, who5, written
from tests.helpers.records import Record, events_said, feed, is_event, kind, records, settled, until
from tests.helpers.waiting import eventually

RESTRICTED = [name for name in TOPICS if name.endswith(".restricted")]
ANSWERS = {"i1": 1, "i2": 2, "i3": 3, "i4": 4, "i5": 0}
SPARSE = {".index", ".timeindex"}  # Kafka's index files: numbers, and mostly gaps
INSTANT = re.compile(rb"\d{4}-\d\d-\d\dT(?!00:00:00(?:\.0+)?(?:Z|\+00:00))")


def disguises(secret: str) -> set[bytes]:
    """The text, its upper and lower case, and its forms inside base64 and hexadecimal."""
    plain = secret.encode()
    found = {plain, plain.lower(), plain.upper(), plain.hex().encode()}
    for shift in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            found.add(encode(b"\0" * shift + plain)[4 if shift else 0 : -4])
    return found


def documents(home: Home) -> dict[str, list[dict[str, Any]]]:
    """Every document of every collection of every service, by database and collection."""
    with MongoClient[dict[str, Any]](home.settings.mongo) as client:
        names = [each for each in client.list_database_names() if each.startswith(home.settings.database)]
        assert len(names) == 5
        return {
            f"{name}.{c}": list(client[name][c].find()) for name in names for c in client[name].list_collection_names()
        }


def knowing(home: Home, person: str) -> dict[str, list[dict[str, Any]]]:
    """Documents with the person's id, by service and collection."""
    found = {
        name: [each for each in all_ if person.encode() in bson.encode(each)] for name, all_ in documents(home).items()
    }
    prefix = re.compile(rf"^{home.settings.database}[-_.]?")
    return {prefix.sub("", name): kept for name, kept in found.items() if kept}


@dataclass
class Canary:
    """A person whose every word differs from all others'."""

    people: People
    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:10])
    worker: str = ""

    def __post_init__(self) -> None:
        digits = str(int(self.mark, 16)).zfill(13)[-13:]
        self.card = {
            "given_name": f"Giuseppina{self.mark}",
            "family_name": f"Canarini{self.mark[::-1]}",
            "email": f"canary.{self.mark}.post@example.org",
            "phone": f"+4{digits}",
        }
        self.secrets = [*list(self.card.values())[:2], f"canary.{self.mark}.post", digits]

    def in_clear(self, where: Iterable[bytes]) -> list[tuple[str, bytes]]:
        """Secrets that are found there, each with the bytes around it."""
        searched = b"\n".join(where)
        looks = {look: secret for secret in self.secrets for look in disguises(secret)}
        return [
            (secret, searched[max(0, at - 120) : at + 120])
            for look, secret in looks.items()
            if (at := searched.find(look)) >= 0
        ]

    async def live(self) -> None:
        """Refer, consent and admit the person, with refused requests on the way."""
        people, operator = self.people, self.people.caller("operator")
        for wrong in ({"partner": "nobody"}, {"partner": "cgil", "profile": {"municipality": "m", "slots": ["x"]}}):
            answer = await operator(
                "POST", "/enrolment/referrals", {"person": self.card, **wrong}, Idempotency_Key=self.mark
            )
            assert answer.status_code == 422
        bad = {"person": {**self.card, "email": self.card["email"].replace("@", " at ")}, "partner": "cgil"}
        assert (await operator("POST", "/enrolment/referrals", bad)).status_code == 422
        self.worker = await people.admit(**self.card)
        shown = await operator("GET", f"/enrolment/workers/{self.worker}")
        assert shown.json()["card"]["family_name"] == self.card["family_name"]


@dataclass
class Scene:
    """Two groups of ten: one has met and holds the canary who will be erased; the other, yet to meet, holds a second canary."""

    people: People
    gone: Canary  # who will be erased
    told: Canary  # who gets a message
    others: list[str]
    group: str


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scene(home: Home) -> AsyncIterator[Scene]:
    people = People(home, slot="wed-evening")
    gone, told = Canary(people), Canary(people)
    await gone.live()
    await told.live()
    others = [await people.admit() for _ in range(18)]
    wednesday = timedelta(days=2)
    begun = await people.form([gone.worker, *others[:9]], a_monday(-4) + wednesday, "privacy-begun")
    await people.form([told.worker, *others[9:]], a_monday(4) + wednesday, "privacy-ahead")
    wished = await people.caller("operator")(
        "PUT", f"/grouping/workers/{gone.worker}/pairs/{told.worker}", {"wish": "apart"}
    )
    assert wished.status_code == 204, wished.text
    meetings = await people.meetings(begun, "privacy-begun")
    for each in meetings[:2]:
        await people.call_roll(each["session"], "privacy-begun", [gone.worker, *others[:5]])
    for worker in (gone.worker, told.worker):
        await people.answer(worker, ANSWERS)

    async def arrived() -> Any:
        return written(home, told.card["email"])

    await eventually(arrived, 40)
    await settled(home)
    yield Scene(people, gone, told, others, begun)


async def test_what_is_put_in_at_the_door_is_in_no_record_of_any_topic(home: Home, scene: Scene) -> None:
    every = await records(home)
    topics = {each.topic for each in every}
    assert {"ama.enrolment", *RESTRICTED, KEYS.name, CONTACTS.name, "ama.feed.cgil", "ama.notifications"} <= topics
    raw = [b"".join([e.key or b"", e.value or b"", *(h[1] or b"" for h in e.headers)]) for e in every]
    for canary in (scene.gone, scene.told):
        assert any(canary.worker.encode() in each for each in raw)
        assert canary.in_clear(raw) == []
    assert not [each for each in raw if b'"i1"' in each]


async def test_what_is_put_in_at_the_door_is_in_no_document_of_any_database(home: Home, scene: Scene) -> None:
    all_ = documents(home)
    raw = [bson.encode(each) for kept in all_.values() for each in kept]
    for canary in (scene.gone, scene.told):
        assert any(canary.worker.encode() in each for each in raw)
        assert canary.in_clear(raw) == []
    assert not [each for each in raw if b"i1\x00" in each or b'"i1"' in each]


async def test_what_is_put_in_at_the_door_is_in_no_log_and_no_file_but_the_letter(
    home: Home,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    caplog.set_level("DEBUG")
    people = People(home, slot="fri-evening")
    canary = Canary(people)
    await canary.live()
    await people.answer(canary.worker, ANSWERS)
    await settled(home)
    async with home.client() as client:
        metrics = [(await client.get(f"/{name}/metrics")).content for name in home.house.services]
    out, err = capfd.readouterr()
    assert caplog.records
    assert canary.in_clear([caplog.text.encode(), out.encode(), err.encode(), *metrics]) == []
    searched = 0
    for each in tmp_path_factory.getbasetemp().rglob("*"):
        if each.is_file() and home.data / "mail" not in each.parents and each.suffix not in SPARSE:
            assert canary.in_clear([each.read_bytes()]) == [], each
            searched += 1
    assert searched > (len(TOPICS) if choose().kind == "embedded" else 0)  # elsewhere the engines' files are not here


async def test_two_partners_know_a_person_by_different_names_and_by_none_that_is_used_within(
    home: Home, scene: Scene
) -> None:
    await scene.people.admit("uil")
    for partner in ("cgil", "uil"):
        entries = await until(home, partner, lambda found: any(kind(each) == "worker.admitted" for each in found))
        assert [int(each["sequence"]) for each in entries] == list(range(1, len(entries) + 1))
    mine, theirs = await feed(home, "cgil"), await feed(home, "uil")
    assert not {each["subject"] for each in mine} & {each["subject"] for each in theirs} - {"-"}
    secret = vault.secret_of(home.settings.keys, "pseudonyms")
    names = [vault.pseudonym(secret, PROGRAMME, each, scene.gone.worker) for each in ("cgil", "uil")]
    assert len({*names}) == 2
    assert names[0] in {each["subject"] for each in mine}


async def test_nothing_in_a_feed_is_found_anywhere_else(home: Home, scene: Scene) -> None:
    feeds: list[ConsumerRecord] = []
    within: list[ConsumerRecord] = []
    for each in await records(home):
        (feeds if each.topic.startswith("ama.feed.") else within).append(each)
    ours = [each for each in feeds if each.topic in {"ama.feed.cgil", "ama.feed.uil"}]
    assert ours
    inner = [orjson.loads(each.value) for each in within if is_event(each) and not each.topic.endswith(".dead")]
    ids = {e[name] for e in inner for name in ("id", "subject", "correlationid", "causationid") if e.get(name)}
    for each in ours:
        entry = orjson.loads(each.value)
        assert not {"traceparent", "correlationid", "causationid"} & {name for name in entry if entry[name] is not None}
        assert not INSTANT.search(each.value), each.value
        assert each.timestamp % 86_400_000 == 0
        assert dict(each.headers) == {"content-type": b"application/cloudevents+json"}
        assert not {str(value) for value in [*entry.values(), *entry["data"].values()]} & ids
        assert not {found.decode() for found in re.findall(rb"[0-9a-f-]{36}", each.value)} & ids
        assert uuid.UUID(entry["id"]).version == 4


async def test_withdrawing_research_consent_takes_a_person_out_of_every_number_and_giving_it_brings_them_back(
    scene: Scene,
) -> None:
    people, worker = scene.people, scene.told.worker
    before = await people.indicators()
    await people.consent(worker, research=False)
    told = await people.indicators_once(lambda now: now["referred"] == before["referred"] - 1)
    assert (told["admitted"], told["seated"]) == (before["admitted"] - 1, before["seated"] - 1)
    assert who5(told)[0] == who5(before)[0] - 1
    assert sum(each["submitted"] for each in told["surveys"]) == sum(e["submitted"] for e in before["surveys"]) - 1
    assert sum(told["groups"]) == sum(before["groups"]) - 1
    await people.consent(worker, research=True)
    again = await people.indicators_once(lambda now: now["referred"] == before["referred"])
    assert (again["means"], again["groups"]) == (before["means"], before["groups"])


async def test_withdrawing_feedback_ends_what_the_partner_is_told_with_that(home: Home, scene: Scene) -> None:
    people, worker = scene.people, scene.others[9]
    name = vault.pseudonym(vault.secret_of(home.settings.keys, "pseudonyms"), PROGRAMME, "cgil", worker)
    await people.consent(worker, partner_feedback=False)

    def ended(found: list[Record]) -> bool:
        return "consent.withdrawn" in [kind(each) for each in found if each["subject"] == name]

    await until(home, "cgil", ended)
    answer = await people.caller("worker", worker)(
        "POST", f"/enrolment/workers/{worker}/withdrawal", {"reason": "no-time"}
    )
    assert answer.status_code == 204, answer.text
    await people.admit()  # after whom another entry follows
    length = len(await feed(home, "cgil"))
    await until(home, "cgil", lambda found: len(found) > length or kind(found[-1]) == "worker.admitted")
    await settled(home)
    told = [kind(each) for each in await feed(home, "cgil") if each["subject"] == name]
    assert told == ["worker.referred", "worker.admitted", "worker.seated", "consent.withdrawn"]


async def payloads(home: Home, person: str) -> list[str]:
    """Every restricted payload about the person on the bus."""
    events = [orjson.loads(each.value) for each in await records(home, *RESTRICTED) if is_event(each)]
    return [each["data"] for each in events if vault.payload_person(each["data"]) == person]


async def keys_held(home: Home, person: str | None = None) -> dict[str, list[tuple[str, bytes]]]:
    """Every key that a service can still open, with its person. The bus is shared with other tests' services; keys of their people
    do not open here.
    """
    held: dict[str, list[tuple[str, bytes]]] = {name: [] for name in home.house.services}
    for name, service in home.house.services.items():
        kept = await service.store["keys"].find({"_id": f"{PROGRAMME}/{person}"} if person else {}).to_list(None)
        for each in (each for each in kept if each.get("wrapped") or each.get("value")):
            whose = each["_id"].partition("/")[2]
            with suppress(vault.Unopenable):
                held[name].append((whose, service.holder.open(whose, each)))
    return held


def opens(key: bytes, payload: str) -> bool:
    try:
        return bool(vault.decrypt_payload(key, payload))
    except vault.Unopenable:
        return False


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
    said, before, told = await payloads(home, worker), await people.indicators(), len(await feed(home, "cgil"))
    assert len(said) >= 4, "a profile, two attendances, a score"
    held = await keys_held(home, worker)
    assert all(opens(key, each) for each in said for kept in held.values() for _, key in kept)
    assert {name for name, kept in held.items() if kept} == set(home.house.services)
    answer = await people.caller("worker", worker)("DELETE", f"/enrolment/workers/{worker}")
    assert answer.status_code == 204, answer.text

    async def everywhere() -> bool:
        _id = f"{PROGRAMME}/{worker}"
        return all([await each.store["erased"].find_one({"_id": _id}) for each in home.house.services.values()])

    await eventually(everywhere)
    await settled(home)
    yield Erasure(scene, before, said, told)


async def test_after_erasure_enrolment_answers_without_data_and_refuses_every_act(erasure: Erasure) -> None:
    people, worker = erasure.scene.people, erasure.scene.gone.worker
    operator = people.caller("operator")
    shown = await operator("GET", f"/enrolment/workers/{worker}")
    assert shown.status_code in {200, 410}
    if shown.status_code == 200:
        assert (shown.json()["card"], shown.json()["profile"], shown.json()["status"]) == ({}, None, "erased")
    acts = (
        ("PUT", "profile", {"municipality": "monza", "slots": ["wed-evening"]}),
        ("POST", "consents", {"consents": {"contact": True}, "notice": "1"}),
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
    for service in home.house.services.values():
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
    told, before = await erasure.scene.people.indicators(), erasure.before
    for name, gone in {"referred": 1, "admitted": 1, "seated": 1, "took_part": 1, "meetings_held": 0}.items():
        assert told[name] == before[name] - gone, name
    assert told["attendance"]["present"] == before["attendance"]["present"] - 2
    assert who5(told)[0] == who5(before)[0] - 1


async def test_a_rebuild_after_erasure_comes_out_without_the_person_and_as_the_live_one(
    home: Home, erasure: Erasure
) -> None:
    for name in ("enrolment", "grouping", "sessions", "analytics"):
        service = home.house.services[name]
        for projection in service.read_models.projections:
            live = (
                await service.store[f"{projection}.g{await service.read_models.live(projection)}"].find().to_list(None)
            )
            generation = await rebuild(service, projection, lambda *_: None)
            built = await service.store[f"{projection}.g{generation}"].find().to_list(None)
            live, built = (
                [bson.encode(dict(sorted(e.items()))) for e in sorted(a, key=lambda e: e["_id"])] for a in (live, built)
            )
            assert built == live, (name, projection)
            assert not [each for each in built if erasure.scene.gone.worker.encode() in each]


async def test_the_partner_that_was_told_is_told_to_delete(home: Home, erasure: Erasure) -> None:
    secret, worker = vault.secret_of(home.settings.keys, "pseudonyms"), erasure.scene.gone.worker
    name = vault.pseudonym(secret, PROGRAMME, "cgil", worker)
    entries = await until(home, "cgil", lambda found: len(found) > erasure.feed)
    told = [kind(each) for each in entries if each["subject"] == name]
    assert told == ["worker.referred", "worker.admitted", "worker.seated", "worker.erased"]
    assert [int(each["sequence"]) for each in entries] == list(range(1, len(entries) + 1))


async def test_every_sequence_on_every_topic_is_whole(home: Home, erasure: Erasure) -> None:
    said = {e["_id"]: e for s in home.house.services.values() for e in await events_said(s)}
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
