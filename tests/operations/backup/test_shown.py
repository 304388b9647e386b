"""The memory of shown means after a restore: what was shown since the backup is not forgotten, and an erased person does not return."""

from pathlib import Path

import bson
import pytest

from analytics.cells import Cells
from analytics.indicators import Scored, Wave
from analytics.shown_blocks import ShownBlock
from services.settings import Settings
from services.store.mongo import Store
from services.vault import ServiceKeys
from tests.operations.backup.conftest import Town, databases, elsewhere, living, put, take

KEY = ("who5", "T0", "wellbeing")


def people(*workers: str) -> Scored:
    return {"seated": {}, "waiting": {worker: 40.0 + n for n, worker in enumerate(workers)}}


async def look(town: Town, scored: Scored) -> Wave:
    """Look at means of these scores, as the running analytics does."""
    analytics = town.all_services.services["analytics"]
    cells = Cells(ServiceKeys.load(analytics.settings.keys, "analytics").secret("cells"))
    (wave,) = await cells.show(analytics.store, analytics.rules[town.world.programme], {KEY: scored}, {})
    return wave


async def digests(store: Store) -> bytes:
    return b"".join([bson.encode(each) async for each in store[ShownBlock.collection].find({"sealed": False})])


async def test_what_was_shown_between_a_backup_and_its_restore_is_not_told_by_the_next_look(
    own: Settings, tmp_path: Path
) -> None:
    first, others = [f"first-{n}" for n in range(10)], [f"other-{n}" for n in range(10)]
    async with living(own) as town:
        erased = await town.world.refer()
        await town.rests()
        remembered = await look(town, people(*first[1:], erased))
        backup = await take(own, tmp_path / "backup.age")
        assert (await look(town, people(*first[1:], erased, *others))).waiting.n == 20
        await town.world.erase(erased)
        await town.rests()
    await put(own, backup, ["analytics"], replace=True)
    async with living(own, roles=()) as town:
        async with databases(own, ["analytics"]) as stores:
            assert await digests(stores["analytics"]) == b"", "neither of the erased person nor of anybody"
        assert await look(town, people(*first, *others, "x")) == remembered
        assert await look(town, people(*others, "x")) == remembered
    async with living(own, roles=()) as town:
        assert await look(town, people(*first, *others, "x")) == remembered, "also after the next start"


@pytest.mark.long
async def test_a_restore_that_is_for_looking_holds_no_digest_of_the_erased(own: Settings, tmp_path: Path) -> None:
    async with living(own) as town:
        erased = await town.world.refer()
        await town.rests()
        await look(town, people(*(f"w{n}" for n in range(10)), erased))
        backup = await take(own, tmp_path / "backup.age")
        await town.world.erase(erased)
        await town.rests()
    again = elsewhere(own)
    await put(again, backup, folder=None)
    async with databases(again, ["analytics"]) as stores:
        assert await stores["analytics"][ShownBlock.collection].count_documents({}) == 0
