"""A programme's versions that were published since the backup come back from the bus, once."""

import re
from pathlib import Path

import pytest

from enrolment.programmes.commands import ApplyFile, apply_file
from services.contracts.topics import PROGRAMMES
from services.engines import Engines
from services.programmes import read_file
from tests.operations.backup.conftest import living, of_its_own, on_the_bus, put, sequences, take

ONE_TOWN = re.compile(r'\[\[municipalities\]\]\nid = "verano-brianza".*?\n\n', re.DOTALL)


@pytest.mark.long
async def test_an_older_backup_gets_the_versions_that_were_published_since(
    engines: Engines, keys: Path, tmp_path: Path
) -> None:
    settings = of_its_own(engines, keys, tmp_path)
    assert settings.programmes is not None
    path = settings.programmes / f"{settings.only}.toml"
    async with living(settings) as town:
        worker = await town.world.refer()
        await town.rests()
        backup = await take(settings, tmp_path / "backup")
        path.write_text(ONE_TOWN.sub("", path.read_text()))
        command = ApplyFile(file=read_file(path), lived_in=True)
        made = await town.world.enrol(apply_file, command)
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
