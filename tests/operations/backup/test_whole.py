"""A backup is taken while the services run, put back into nothing, and everything is as it was; and they go on."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from services import vault
from services.cli import app
from services.contracts.topics import KEYS, SERVICES
from services.engines import Engines
from services.operations.backup import sealed
from services.operations.backup.documents import Damaged
from services.operations.backup.people import keys_to_file
from services.settings import Misconfigured, Settings
from services.store.collections import prepare
from tests.helpers.waiting import eventually
from tests.operations.backup.conftest import (
    Town,
    contents,
    databases,
    elsewhere,
    everything,
    feed,
    living,
    of_its_own,
    opened,
    put,
    sequences,
    take,
)

PHRASE = "a long enough passphrase"
OF_THE_PROCESS = (
    "assignments",
    "leases",
    "levels",
    "looks",
    "recalled",
    "relay",
    "restored",
    "topics",
)  # what runs, where the bus ends, what a restore knows


def lasting(found: dict[str, Any]) -> dict[str, Any]:
    """Keep only the data that must be equal: nothing of a process or of the bus, no keys, which do not come from the backup, and no
    `guard`, which also counts repeats without an effect."""
    kept = {name: rows for name, rows in found.items() if name.split(" ", 1)[1] not in {*OF_THE_PROCESS, "keys"}}
    for name, rows in kept.items():
        if name.endswith(" offsets"):
            kept[name] = {_id: {**each, "fence": 0} for _id, each in rows.items() if not _id.startswith("tables|")}
        if name == "enrolment outbox":  # made anew where they come from the bus
            kept[name] = {
                f"{each['topic']}/{each['key']}/{each['sequence']}": {**each, "_id": 0} for each in rows.values()
            }
        if name.endswith(" erased"):  # a restore runs the handlers of each erasure again, and notes when they were done
            kept[name] = {_id: {**each, "done": 0} for _id, each in rows.items()}
    bare = {name: {_id: {**each, "guard": 0} for _id, each in rows.items()} for name, rows in kept.items()}
    return {name: rows for name, rows in bare.items() if rows}


def fences(found: dict[str, Any]) -> set[Any]:
    """The fences of all offset documents, by which consumers know that what they remember is still true."""
    return {each["fence"] for name, rows in found.items() if name.endswith(" offsets") for each in rows.values()}


def but_for_places(found: dict[str, Any]) -> dict[str, Any]:
    """As `lasting`, without how far the bus was read: the relays have repeated what they sent last."""
    return {name: rows for name, rows in lasting(found).items() if not name.endswith(" offsets")}


async def lives(town: Town) -> list[str]:
    """Four people, two of them in a group, one erased."""
    world = town.world
    workers = [await world.refer() for _ in range(4)]
    for each in workers:
        await world.consent(each)
        await world.admit(each)
    await world.seat(*workers[:2])
    await world.erase(workers[3])
    await town.rests()
    return workers


async def ama(own: Settings, settings: Settings, *words: str) -> tuple[int, str]:
    """The command line on these databases, beside what runs: its exit status, and all it wrote."""
    given = {"AMA_KAFKA": own.kafka, "AMA_MONGO": own.mongo, "AMA_KEYS": str(own.keys), "AMA_DATA": "/nowhere"}
    given |= {"AMA_DATABASE": settings.database, "AMA_ONLY": str(own.only), "AMA_BACKUP_PASSPHRASE": PHRASE}
    if own.sasl_username:
        given |= {"AMA_SASL_USERNAME": own.sasl_username, "AMA_SASL_PASSWORD": str(own.sasl_password)}
    done = await asyncio.to_thread(CliRunner().invoke, app, words, env=given)
    return done.exit_code, done.output + str(done.exception or "")


async def test_everything_is_equal_after_a_restore_into_nothing_and_the_services_go_on(
    own: Settings, tmp_path: Path
) -> None:
    folder, report = str(tmp_path / "backup"), tmp_path / "report.json"
    async with living(own) as town:
        workers = await lives(town)
        status, said = await ama(own, own, "backup", folder)
        assert (status, "of 5 services, encrypted and verified" in " ".join(said.split())) == (0, True), said
        partner = town.world.partner
    before, told_before = await everything(own), await feed(own, partner)
    status, said = await ama(own, own, "restore", folder)
    assert (status, "is not empty" in " ".join(said.split())) == (1, True), said
    again = elsewhere(own)
    status, said = await ama(own, again, "restore", folder, "--report", str(report))
    assert (status, "The services can be started" in " ".join(said.split())) == (0, True), said
    assert report.stat().st_mode & 0o777 == 0o600, "the report names people"
    told = json.loads(report.read_text())
    assert [told[each] for each in ("lost", "conflicts", "notes", "keyless")] == [[]] * 4
    after = await everything(again)
    assert lasting(after) == lasting(before)
    assert fences(after), "there are offsets to compare"
    assert fences(after).isdisjoint(fences(before)), (
        "a consumer that ran through the restore would go by what it remembers"
    )
    assert {name.split()[0] for name in before} == set(SERVICES), "all five had something to compare"
    assert len(before["analytics path.g1"]) > 3
    assert await keys_of(again) == await keys_of(own)
    assert len(await keys_of(own)) == 3
    async with living(again) as town:
        await town.rests()
        assert but_for_places(await everything(again)) == but_for_places(before)
        newcomer = await town.world.refer()
        await town.world.consent(newcomer)
        await town.world.admit(newcomer)
        await town.world.withdraw(workers[2])
        await town.rests()
    assert all(len(ids) == 1 for places in (await sequences(own)).values() for ids in places.values())
    entries = await feed(own, partner)
    assert entries[: len(told_before)] == told_before
    assert [int(each["sequence"]) for each in entries] == list(range(1, len(told_before) + 4))


async def keys_of(settings: Settings) -> dict[str, bytes]:
    """People's keys as enrolment can open them."""
    master, kept = vault.MasterKeys.load(settings.keys), (await everything(settings))["enrolment keys"]
    return {_id: master.unwrap(_id.partition("/")[2], each["wrapped"]) for _id, each in kept.items()}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def town(engines: Engines, keys: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """One service that speaks and one that takes, and somebody who was referred."""
    own = of_its_own(engines, keys, tmp_path_factory.mktemp("town"))
    async with living(own, ["enrolment", "analytics"]) as town:
        await town.world.refer()
        yield town


async def test_no_key_of_a_person_is_in_a_backup_and_the_file_of_keys_opens_with_its_passphrase_alone(
    town: Town, tmp_path: Path
) -> None:
    worker = await town.world.refer()
    await town.rests()
    status, said = await ama(
        town.world.settings, town.world.settings, "backup", str(tmp_path / "backup"), "--keys", str(tmp_path / "keys")
    )
    assert status == 0, said
    kept = await town.world.enrolment.store["keys"].find_one({"_id": f"{town.world.programme}/{worker}"})
    told = await town.world.enrolment.store["outbox"].find_one({"topic": KEYS.name, "key": worker})
    assert kept is not None
    assert told is not None
    found = [each for _, _, documents in opened(town.world.settings, tmp_path / "backup").parts() for each in documents]
    assert any(worker.encode() in each for each in found), "there is something to look through"
    for secret in (kept["wrapped"].encode(), told["value"]):
        assert not any(secret in each for each in found)
    sealed_file = tmp_path / "keys"
    assert sealed_file.stat().st_mode & 0o077 == 0
    pieces = b"".join(sealed.read(sealed_file, PHRASE))
    assert kept["wrapped"].encode() in pieces
    assert told["value"] in pieces
    assert kept["wrapped"].encode() not in sealed_file.read_bytes()
    with pytest.raises(Misconfigured, match="does not open with this passphrase"):
        list(sealed.read(sealed_file, PHRASE + "?"))
    cut = tmp_path / "cut"
    cut.write_bytes(sealed_file.read_bytes()[:-1])
    with pytest.raises(Damaged):
        list(sealed.read(cut, PHRASE))


async def test_a_backup_is_of_one_moment_whatever_is_said_meanwhile(town: Town, tmp_path: Path) -> None:
    done = asyncio.Event()

    async def talk() -> None:
        while not done.is_set():
            worker = await town.world.refer()
            await town.world.consent(worker)

    talking = asyncio.gather(*(talk() for _ in range(3)))
    await eventually(lambda: town.world.enrolment.store["worker"].count_documents({"version": 2}))
    await take(town.world.settings, tmp_path / "backup")
    done.set()
    await talking
    rows = contents(town.world.settings, tmp_path / "backup")
    said = {each["_id"] for each in rows["enrolment"]["outbox"]}
    ours = f"/{town.world.programme}/enrolment"
    taken = [
        mark["id"] for service in SERVICES for mark in rows[service].get("marks", []) if ours in mark["subject_key"]
    ]
    assert taken, "others had taken something by then"
    assert not [each for each in taken if each not in said], "nobody has taken what was not said yet"
    spoken = {worker["state"]["id"]: worker["sequences"] for worker in rows["enrolment"]["worker"]}
    there: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for each in rows["enrolment"]["outbox"]:
        there[each["key"]].add((each["topic"], each["sequence"]))
    for worker, counts in spoken.items():
        counted = {(topic, n) for topic, number in counts.items() if topic != KEYS.name for n in range(1, number + 1)}
        assert counted == there[worker]


async def test_what_must_not_be_done_is_refused_in_one_sentence(town: Town, tmp_path: Path) -> None:
    own, backup = town.world.settings, await take(town.world.settings, tmp_path / "backup")
    with pytest.raises(Misconfigured, match="exists already: a backup overwrites nothing"):
        await take(own, backup)
    with pytest.raises(Misconfigured, match="runs: stop every copy of it"):
        await put(own, backup, replace=True)
    status, said = await ama(own, own, "backup", "check", str(backup))
    assert (status, "is whole" in " ".join(said.split())) == (0, True), said
    damaged = tmp_path / "damaged"
    whole = bytearray(backup.read_bytes())
    whole[len(whole) // 2] ^= 1
    damaged.write_bytes(whole)
    again = elsewhere(own)
    with pytest.raises(Damaged, match="is not what was written"):
        await put(again, damaged)
    assert await everything(again) == {}, "nothing was touched"
    async with databases(again) as stores:
        await stores["enrolment"]["restored"].insert_one({"_id": "state", "whole": False})
        for begin in (prepare(stores["enrolment"], []), put(again, backup)):
            with pytest.raises(Misconfigured, match="is half restored: run `ama restore` again"):
                await begin


async def test_what_does_not_open_is_known_before_anything_is_written_and_who_has_no_key_is_told(
    town: Town, tmp_path: Path
) -> None:
    own, worker = town.world.settings, await town.world.refer()
    backup = await take(own, tmp_path / "backup", lambda *now: keys_to_file(tmp_path / "keys", PHRASE, *now))
    again = elsewhere(own)
    with pytest.raises(Misconfigured, match=r"master\.jwks is missing, and nobody's data can be read without it"):
        await put(again, backup, folder=tmp_path)
    with pytest.raises(Misconfigured, match="does not open with this passphrase"):
        await put(again, backup, keys=(tmp_path / "keys", PHRASE + "?"))
    assert await everything(again) == {}, "nothing was touched"
    told = await put(again, backup, folder=None)
    assert f"{town.world.programme}/{worker}" in told.keyless
    said = "\n".join(told.lines())
    assert f"{len(told.keyless)} PEOPLE HAVE NO KEY" in said
    assert "can be started" not in said
