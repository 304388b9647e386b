"""Whoever was erased since the backup is in no collection of a restored database, whichever way it was restored."""

import gzip
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bson
import pytest
import pytest_asyncio

from grouping.pairs import commands as pairs
from services.contracts.grouping import Wish
from services.engines import Engines
from services.operations.backup.purge import BOOKKEEPING
from services.operations.backup.registers import erased_in
from services.operations.backup.sources import MANIFEST, check
from services.programmes.instruments import load_all
from services.settings import Misconfigured, Settings
from sessions import commands as meet
from sessions.domain import Meeting
from tests.helpers.waiting import eventually
from tests.operations.backup.conftest import (
    Town,
    contents,
    databases,
    elsewhere,
    everything,
    living,
    of_its_own,
    opened,
    put,
    take,
    with_other_topics,
)

NAME = "Giuseppina Canarina"
ANSWERS = {each.id: 3.0 for each in load_all()["ama-own"].items}
PERSONAL = {
    "enrolment worker", "enrolment desk.g1", "grouping seeker", "grouping pair", "grouping group", "grouping pool.g1",
    "sessions participant", "sessions survey", "sessions roster", "sessions session", "notifications recipient",
    "analytics path.g1", "analytics attendance.g1", "analytics scores.g1",
}  # fmt: skip


@dataclass
class Past:
    """A backup in which somebody is who was erased since. `register`: of after the erasure."""

    settings: Settings
    backup: Path
    register: Path
    erased: str
    stays: str

    def knowing(self, found: dict[str, Any]) -> set[str]:
        """The collections that hold the id of the erased person, bookkeeping left out."""
        return {
            name
            for name, rows in found.items()
            if name.partition(" ")[2] not in BOOKKEEPING
            and any(self.erased.encode() in bson.encode(each) for each in rows.values())
        }


async def lives(town: Town) -> tuple[str, str]:
    """Two people in a group that has met; both were there, both answered, and they do not want to sit together."""
    world, sessions = town.world, town.all_services.services["sessions"]
    two = [await world.refer(given_name=NAME) for _ in range(2)]
    for each in two:
        await world.consent(each)
        await world.admit(each)
    await world.seat(*two, weeks=-3)
    wish = pairs.Ask(worker=two[0], mate=two[1], wish=Wish.APART)
    await world.grouping.do(pairs.ask, wish, world.programme)
    await eventually(lambda: sessions.store[Meeting.noun].count_documents({"state.number": 1}))
    await town.rests()
    first = await sessions.store[Meeting.noun].find_one({"state.number": 1})
    assert first is not None
    roll = meet.RollCall(session=first["state"]["id"], present=frozenset(two))
    await sessions.do(meet.roll_call, roll, world.programme)
    for each in two:
        survey = meet.SubmitSurvey(worker=each, instrument="ama-own", wave="T0", answers=ANSWERS)
        await sessions.do(meet.submit_survey, survey, world.programme)
    await town.rests()
    return two[0], two[1]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def past(engines: Engines, keys: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Past]:
    folder = tmp_path_factory.mktemp("past")
    settings = of_its_own(engines, keys, folder)
    async with living(settings) as town:
        erased, stays = await lives(town)
        backup = await take(settings, folder / "backup.age")
        await town.world.erase(erased)
        await town.rests()
        register = await take(settings, folder / "register.age", register=True)
    yield Past(settings, backup, register, erased, stays)


def test_the_backup_itself_has_the_person_everywhere_and_shows_nothing(past: Past) -> None:
    held = {
        f"{service} {name}": {str(n): each for n, each in enumerate(rows)}
        for service, some in contents(past.settings, past.backup).items()
        for name, rows in some.items()
    }
    assert past.knowing(held) >= PERSONAL, "there is something to remove"
    content = past.backup.read_bytes()
    for secret in (past.erased, past.stays, NAME, "total", "enrolment", "manifest", str(past.settings.only)):
        assert secret.encode() not in content, secret


@pytest.mark.long
async def test_a_restore_without_key_files_shows_nothing_of_the_erased(past: Past) -> None:
    look = elsewhere(past.settings)
    told = await put(look, past.backup, folder=None)
    found = await everything(look)
    assert past.knowing(found) == set()
    assert told.erased_since == 1
    stays = {name for name, rows in found.items() if any(past.stays.encode() in bson.encode(e) for e in rows.values())}
    assert stays >= PERSONAL - {"grouping pair"}, "the other person is whole; their wish named the erased one"
    (scored,) = [each for each in found["analytics scores.g1"].values() if "scores" in each]
    assert scored["person"] == past.stays
    (roll,) = [e["state"]["roll"] for e in found["sessions session"].values() if e["state"]["held"]]
    assert set(roll) == {past.stays}


async def test_a_restore_shows_nothing_of_the_erased_to_any_role_of_a_service(past: Past) -> None:
    again = elsewhere(past.settings)
    await put(again, past.backup)
    rows = {name for name in past.knowing(await everything(again)) if re.search(r"\.g\d|answers|keys|contacts", name)}
    assert rows == set(), "rows go before a service starts"
    async with living(again, roles=()) as town:
        found = await everything(again)
        assert past.knowing(found) == {"enrolment worker"}
        worker = found["enrolment worker"][f"{town.world.programme}/{past.erased}"]["state"]
        assert {name: worker[name] for name in ("status", "card", "profile", "consents")} == {
            "status": "erased", "card": {}, "profile": None, "consents": {},
        }  # fmt: skip
        (roll,) = [e["state"] for e in found["sessions session"].values() if e["state"]["held"]]
        assert (set(roll["roll"]), roll["erased_present"]) == ({past.stays}, 1), "the count stays"
    async with living(again) as town:
        await town.rests()
        assert past.knowing(await everything(again)) == {"enrolment worker"}


@pytest.mark.long
async def test_when_nothing_tells_who_was_erased_since_a_restore_is_refused_or_says_so(
    past: Past, tmp_path: Path
) -> None:
    """The topics of the backup are not those of this Kafka, as after its loss."""
    lost = with_other_topics(past.settings, past.backup, tmp_path / "lost.age")
    look = elsewhere(past.settings)
    with pytest.raises(Misconfigured, match="Nobody here knows who was erased since the backup of"):
        await put(look, lost, folder=None)
    with pytest.raises(Misconfigured, match="Nobody here knows"):
        await put(look, lost, folder=None, registers=erased_in([opened(past.settings, lost)]))
    assert await everything(look) == {}, "nothing was touched"
    known = erased_in([opened(past.settings, past.register)])
    assert known.erased == {f"{past.settings.only}/{past.erased}"}
    told = await put(look, lost, folder=None, registers=known)
    assert past.knowing(await everything(look)) == set()
    assert any("WHO WAS ERASED AFTER" in line for line in told.lines())
    unknown = elsewhere(past.settings)
    told = await put(unknown, lost, folder=None, erasures_unknown=True)
    assert any("WHO WAS ERASED AFTER" in line for line in told.lines())


async def test_a_register_is_no_backup(past: Past) -> None:
    assert set(contents(past.settings, past.register)["enrolment"]) == {"consents", "erased"}
    with pytest.raises(Misconfigured, match="a register of erasures and refusals, not a backup"):
        await put(elsewhere(past.settings), past.register)


@pytest.mark.long
async def test_a_folder_of_before_encryption_is_restored_on_request_alone_and_without_the_erased(
    past: Past, tmp_path: Path
) -> None:
    folder = in_the_clear(past, tmp_path / "clear")
    look = elsewhere(past.settings)
    with pytest.raises(Misconfigured, match="is a backup of before encryption: whoever has it reads scores"):
        await put(look, folder, folder=None)
    async with databases(look) as stores:
        assert not any([await each.db.list_collection_names() for each in stores.values()])
    await put(look, folder, folder=None, clear=True)
    assert past.knowing(await everything(look)) == set()


def in_the_clear(past: Past, folder: Path) -> Path:
    """Write the backup as version 0.1 wrote it."""
    source = opened(past.settings, past.backup)
    for service, name, documents in source.parts():
        (folder / service).mkdir(parents=True, exist_ok=True)
        with gzip.open(folder / service / f"{name}.bson.gz", "ab") as file:
            file.writelines(documents)
    manifest = check(source).manifest.model_copy(update={"format": 2})
    for service, part in manifest.parts.items():
        for name in part.collections:
            with gzip.open(folder / service / f"{name}.bson.gz", "ab"):
                pass  # an empty collection has no piece, and had a file
    (folder / MANIFEST).write_text(manifest.model_dump_json(exclude={"kind"}))
    return folder


async def test_without_a_key_no_backup_is_taken(past: Past, tmp_path: Path) -> None:
    bare = past.settings.model_copy(update={"keys": tmp_path})
    with pytest.raises(Misconfigured, match="There is no key of backups"):
        await take(bare, tmp_path / "backups" / "one.age")
    assert files_in(tmp_path) == [], "nothing was written"


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())
