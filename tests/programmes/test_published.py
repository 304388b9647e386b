"""A published programme reaches every service and every copy, without a restart, and again after a restore."""

import random
import re
from pathlib import Path
from typing import Any

import grouping.app
from enrolment.programmes.commands import ApplyFile, apply_file
from services.contracts.topics import PROGRAMMES
from services.engines import Engines
from services.programmes import Programme, programme_of
from services.runtime.service import Service, running
from services.settings import Settings
from tests.helpers.waiting import eventually
from tests.operations.backup.conftest import living, of_its_own, on_the_bus, put, sequences, take
from tests.programmes.test_changes import NOTICES, PARTNERS, TIMES, TOWNS, WAVES, Draft, finds, named_in

ONE_TOWN = re.compile(r'\[\[municipalities\]\]\nid = "verano-brianza".*?\n\n', re.DOTALL)


def file_of(settings: Settings) -> Path:
    assert settings.programmes is not None
    return settings.programmes / f"{settings.only}.toml"


async def apply(enrolment: Service, settings: Settings, text: str, *, lived_in: bool = True) -> dict[str, Any]:
    """Publish this file, as the route does."""
    command = ApplyFile(name="prova.toml", text=text, lived_in=lived_in)
    made: dict[str, Any] = await enrolment.do(apply_file, command, str(settings.only))
    return made


def some(chance: random.Random, of: Any) -> frozenset[str]:
    return frozenset(chance.sample(sorted(of), chance.randint(1, len(of))))


def drafts(settings: Settings, number: int) -> list[str]:
    """The texts of so many edits of one programme."""
    chance = random.Random(number)
    edited = [
        Draft(
            some(chance, TIMES),
            some(chance, TOWNS),
            some(chance, PARTNERS),
            some(chance, WAVES),
            chance.choice(NOTICES),
        )
        for _ in range(number)
    ]
    own = str(settings.only)
    return [
        re.sub(r'id = "(one|two|three)"', rf'id = "\1-{own}"', each.text()).replace('"prova"', f'"{own}"')
        for each in edited
    ]


async def test_each_edit_reaches_every_service_and_copy_and_every_id_is_found(
    engines: Engines, keys: Path, tmp_path: Path
) -> None:
    settings = of_its_own(engines, keys, tmp_path)
    async with living(settings) as town, running(grouping.app.build(settings), ["api"]) as copy:
        services = [*town.all_services.services.values(), copy]
        enrolment = town.world.enrolment
        first = enrolment.rules[town.world.programme]
        ever = named_in(first)
        for text in drafts(settings, 6):
            await apply(enrolment, settings, text, lived_in=False)
            newest = await _published(enrolment, town.world.programme)
            ever |= named_in(newest)

            async def all_follow(newest: Programme = newest) -> bool:
                return all(each.rules[newest.id] == newest for each in services)

            await eventually(all_follow, 60)
            for service in services:
                rules = service.rules[newest.id]
                missing = [(part, id) for part, id in ever if finds(rules)[part](id) is None]
                assert missing == [], service.name
    # A restart finds the stored version, and not the file of the folder, which enrolment alone applies.
    async with running(grouping.app.build(settings), ["api"]) as again:
        assert named_in(again.rules[first.id]) == ever


async def _published(enrolment: Service, programme: str) -> Programme:
    stored = await enrolment.store["programme"].find_one({"_id": f"{programme}/{programme}"})
    return programme_of(programme, stored["state"]["content"])


async def test_an_older_backup_gets_the_versions_that_were_published_since(
    engines: Engines, keys: Path, tmp_path: Path
) -> None:
    settings = of_its_own(engines, keys, tmp_path)
    path = file_of(settings)
    async with living(settings) as town:
        worker = await town.world.refer()
        await town.rests()
        backup = await take(settings, tmp_path / "backup")
        path.write_text(ONE_TOWN.sub("", path.read_text()))
        made = await apply(town.world.enrolment, settings, path.read_text())
        assert made == {"version": 2, "changed": True}
        await town.rests()
    await put(settings, backup, replace=True)
    async with living(settings) as town:
        await town.rests()
        for service in town.all_services.services.values():
            town_that_left = service.rules[town.world.programme].municipality("verano-brianza")
            assert town_that_left is not None, service.name
            assert town_that_left.retired, service.name
        assert await town.world.enrolment.store["worker"].find_one({"state.id": worker}) is not None
    said = await sequences(settings)
    published = {key: found for key, found in said.items() if key[1] == settings.only}
    assert [sorted(found) for found in published.values()] == [[1, 2]]
    assert all(len(ids) == 1 for found in published.values() for ids in found.values())
    assert await on_the_bus(settings, PROGRAMMES.name)
