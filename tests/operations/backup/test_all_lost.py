"""Everything is lost, Kafka as well: a backup, the file of keys and a newer register bring back all but what was done since."""

from pathlib import Path

import pytest

from enrolment.queries import read_person
from services.kernel import Refused
from services.operations.backup import registers
from services.operations.backup.people import keys_to_file
from services.settings import Misconfigured, Settings
from tests.helpers.restorable_bus import RestorableBus
from tests.operations.backup.conftest import elsewhere, everything, feed, living, opened, put, take

SOME = ("enrolment", "notifications", "analytics")  # who has keys, who has feeds, who has rows
PHRASE = "a long enough passphrase"


@pytest.mark.long
async def test_a_backup_and_the_file_of_keys_bring_everything_back_on_new_engines_and_the_erased_stay_erased(  # noqa: PLR0915  # one disaster, from end to end
    own: Settings, tmp_path: Path
) -> None:
    bus = RestorableBus(tmp_path / "bus")
    lived = own.model_copy(update={"kafka": await bus.start(), "sasl_username": None, "sasl_password": None})
    try:
        async with living(lived, SOME) as town:
            world = town.world
            stays, goes = await world.refer(given_name="Grazia"), await world.refer()
            for each in (stays, goes):
                await world.consent(each)
                await world.admit(each)
            await town.rests()
            older = await take(
                lived, tmp_path / "older", lambda *now: keys_to_file(tmp_path / "people.keys", PHRASE, *now)
            )
            told = await feed(lived, world.partner)
            await world.erase(goes)
            await town.rests()
            newer = await take(lived, tmp_path / "newer", register=True)
        await bus.empty()
        again, known = elsewhere(lived), registers.erased_in([opened(lived, newer)])
        assert known.erased == {f"{world.programme}/{goes}"}
        with pytest.raises(Misconfigured, match="Nobody here knows who was erased since"):
            await put(again, older, keys=(tmp_path / "people.keys", PHRASE))
        assert await everything(again) == {}, "nothing was touched"
        report = await put(again, older, keys=(tmp_path / "people.keys", PHRASE), registers=known)
        assert (report.lost, report.conflicts) == ([], [])
        (until,) = report.notes
        assert "WHO WAS ERASED AFTER" in until
        async with living(again, SOME) as town:
            await town.rests()
            enrolment = town.world.enrolment
            rules = enrolment.rules[world.programme]
            shown = await enrolment.commanding.query(read_person, rules, stays)
            assert shown.card["given_name"] == "Grazia"
            found = await everything(again)
            for service in SOME:
                assert set(found[f"{service} keys"]) == {f"{world.programme}/{stays}"}
            assert {each["person"] for each in found["analytics path.g1"].values()} == {stays}
            assert found["enrolment worker"][f"{world.programme}/{goes}"]["state"]["status"] == "erased"
            with pytest.raises(Refused, match="was erased"):
                await town.world.consent(goes)
            entries = await feed(again, world.partner)
        assert [each["type"].split(".")[-2] for each in entries[-1:]] == ["erased"], "the partner is told once more"
        stayed = {entry["subject"] for entry in told} & {entry["subject"] for entry in entries[:-1]}
        assert len(stayed) >= 1
    finally:
        await bus.end()
