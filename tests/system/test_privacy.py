"""Data about a person: nobody reads it without the right to, and nobody at all after erasure."""

import io
import re
import uuid
import zipfile

import bson
import orjson
import pytest
from aiokafka import ConsumerRecord

from services import vault
from services.contracts.topics import CONTACTS, KEYS, TOPICS
from services.embedded.home import Home
from services.web.frame import fragments
from tests.helpers.engines import choose
from tests.helpers.people import PROGRAMME, People, scored
from tests.helpers.records import Record, feed, is_event, kind, records, settled, until
from tests.system.canaries import ANSWERS, RESTRICTED, Canary, Scene, documents, fields, knowing, scene

__all__ = ["scene"]
SPARSE = {".index", ".timeindex"}  # Kafka's index files: numbers, and mostly gaps
INSTANT = re.compile(rb"\d{4}-\d\d-\d\dT(?!00:00:00(?:\.0+)?(?:Z|\+00:00))")


async def test_what_is_put_in_at_the_door_is_in_no_record_of_any_topic(home: Home, scene: Scene) -> None:
    every = await records(home)
    topics = {each.topic for each in every}
    assert {"ama.enrolment", *RESTRICTED, KEYS.name, CONTACTS.name, "ama.feed.cgil", "ama.notifications"} <= topics
    raw = [b"".join([e.key or b"", e.value or b"", *(h[1] or b"" for h in e.headers)]) for e in every]
    for canary in (scene.gone, scene.contacted):
        assert any(canary.worker.encode() in each for each in raw)
        assert canary.in_clear(raw) == []
    assert not [each for each in raw if b'"i1"' in each]


async def test_what_is_put_in_at_the_door_is_in_no_document_of_any_database(home: Home, scene: Scene) -> None:
    all_ = documents(home)
    raw = [bson.encode(each) for kept in all_.values() for each in kept]
    for canary in (scene.gone, scene.contacted):
        assert any(canary.worker.encode() in each for each in raw)
        assert canary.in_clear(raw) == []
    assert not [each for kept in all_.values() for each in kept if "i1" in fields(each)]
    assert not [each for each in raw if b'"i1"' in each]


async def test_what_is_put_in_at_the_door_is_in_no_log_and_no_file_but_the_message(
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
        metrics = [(await client.get(f"/{name}/metrics")).content for name in home.all_services.services]
    out, err = capfd.readouterr()
    assert caplog.records
    assert canary.in_clear([caplog.text.encode(), out.encode(), err.encode(), *metrics]) == []
    searched = 0
    for each in tmp_path_factory.getbasetemp().rglob("*"):
        if each.is_file() and home.data / "mail" not in each.parents and each.suffix not in SPARSE:
            assert canary.in_clear([each.read_bytes()]) == [], each
            searched += 1
    assert searched > (len(TOPICS) if choose().kind == "embedded" else 0)  # elsewhere the engines' files are not here


async def test_a_person_is_told_all_that_every_service_holds_of_them_and_no_other_name(
    home: Home, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fragments, "PATIENCE", 30.0)  # on a machine that is busy
    worker, others = scene.gone.worker, {*scene.others, scene.contacted.worker}
    answer = await scene.people.caller("worker", worker)("GET", "/me/scarica/tutto.zip")
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        taken, page = orjson.loads(archive.read("i-miei-dati.json")), archive.read("i-miei-dati.html").decode()
        assert archive.read("chi-ha-visto-i-miei-dati.csv").decode("utf-8-sig").count("\n") > 1
    assert taken["missing"] == []
    # A collection with the person's id is told, or its reason stands among the technical ones.
    for name in knowing(home, worker):
        service, _, collection = name.partition(".")
        if service in taken["services"]:
            held = taken["services"][service]
            assert collection.partition(".")[0] in _told(held), name
    # A word of the person's own comes back from each service: identity, profile, answers, address, results.
    services = taken["services"]
    assert services["enrolment"]["records"]["worker"][0]["card"] | scene.gone.card == scene.gone.card | {
        "language": "it"
    }
    assert services["grouping"]["records"]["seeker"][0]["profile"]["municipality"] == "monza"
    assert services["grouping"]["records"]["pair"] == [{"wish": "apart"}]
    assert [each["present"] for each in services["sessions"]["records"]["session"]] == [True, True]
    assert [each.get("answers") for each in services["sessions"]["records"]["survey"] if each["wave"] == "T0"] == [
        ANSWERS
    ]
    assert services["notifications"]["contact_card"]["email"] == scene.gone.card["email"]
    assert services["analytics"]["read_models"]["scores"]
    assert all(secret in page for secret in scene.gone.secrets)
    assert not [each for each in others if each in page or each.encode() in orjson.dumps(taken)]


def _told(held: Record) -> set[str]:
    """Names of the collections that one service tells of, or names with a reason."""
    said = {*held["records"], *held["read_models"], *held["digests"], *held["technical"], "access"}
    return said | {name for name, part in (("consents", "consents"), ("contacts", "contact_card")) if held[part]}


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
    people, worker = scene.people, scene.contacted.worker
    before = await people.indicators()
    await people.consent(worker, research=False)
    now = await people.indicators_once(lambda now: now["referred"] == before["referred"] - 1)
    assert (now["admitted"], now["seated"]) == (before["admitted"] - 1, before["seated"] - 1)
    assert scored(now) == scored(before) - 1
    assert sum(each["submitted"] for each in now["surveys"]) == sum(e["submitted"] for e in before["surveys"]) - 1
    assert sum(now["groups"]) == sum(before["groups"]) - 1
    await people.consent(worker, research=True)
    again = await people.indicators_once(lambda now: now["referred"] == before["referred"])
    assert (again["surveys"], again["groups"]) == (before["surveys"], before["groups"])


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
    now = [kind(each) for each in await feed(home, "cgil") if each["subject"] == name]
    assert now == ["worker.referred", "worker.admitted", "worker.seated", "consent.withdrawn"]
