"""Everything is lost, Kafka as well: a backup, the file of keys and a newer register bring back all but what was done since."""

from pathlib import Path

import pytest

from enrolment.queries import own_referral, read_person
from services.contracts.enrolment import Purpose
from services.kernel import Refused
from services.operations.backup import registers
from services.operations.backup.people import keys_to_file
from services.settings import Misconfigured, Settings
from tests.helpers.restorable_bus import RestorableBus
from tests.operations.backup.conftest import elsewhere, everything, feed, gate_of, living, opened, put, take

SOME = ("enrolment", "notifications", "analytics")  # who has keys, who has feeds, who has rows
PHRASE = "a long enough passphrase"
CLOSED = (Purpose.CONTACT, Purpose.PARTNER_FEEDBACK, Purpose.RESEARCH)


async def nothing_is_open(settings: Settings, person: str) -> None:
    """Whoever withdrew is closed in every gate."""
    for service in SOME:
        consents = await gate_of(settings, person, service)
        assert [consents.allow(each) for each in CLOSED] == [False] * len(CLOSED), service


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
            withdraws = await world.refer()
            for each in (stays, goes, withdraws):
                await world.consent(each)
                await world.admit(each)
            await town.rests()
            older = await take(
                lived, tmp_path / "older", lambda *now: keys_to_file(tmp_path / "people.keys", PHRASE, *now)
            )
            told = await feed(lived, world.partner)
            await world.erase(goes)
            await world.consent(withdraws, False, *CLOSED)
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
        erased, decided = report.notes
        assert ("WHO WAS ERASED AFTER" in erased, "WHO DECIDED ON A CONSENT AFTER" in decided) == (True, True)
        assert report.refused_since == len(CLOSED)
        await nothing_is_open(again, withdraws)
        async with living(again, SOME) as town:
            await town.rests()
            enrolment = town.world.enrolment
            rules = enrolment.rules[world.programme]
            shown = await enrolment.commanding.query(read_person, rules, stays)
            assert shown.card["given_name"] == "Grazia"
            found = await everything(again)
            for service in SOME:
                assert set(found[f"{service} keys"]) == {f"{world.programme}/{each}" for each in (stays, withdraws)}
            assert {each["person"] for each in found["analytics path.g1"].values()} == {stays, withdraws}
            shown = await enrolment.commanding.query(read_person, rules, withdraws)
            assert {purpose for purpose, each in shown.consents.items() if each["given"]} == {"participation"}
            (row,) = [each for each in found["enrolment desk.g1"].values() if each["worker"] == withdraws]
            desk = own_referral(row, rules, await gate_of(again, withdraws, "enrolment"))
            assert desk.admitted is None
            await nothing_is_open(again, withdraws)
            assert found["enrolment worker"][f"{world.programme}/{goes}"]["state"]["status"] == "erased"
            with pytest.raises(Refused, match="was erased"):
                await town.world.consent(goes)
            entries = await feed(again, world.partner)
        last = {tuple(each["type"].split(".")[-3:-1]) for each in entries[-2:]}
        assert last == {("worker", "erased"), ("consent", "withdrawn")}, "the partner is told once more"
        stayed = {entry["subject"] for entry in told} & {entry["subject"] for entry in entries[:-2]}
        assert len(stayed) == 1, "of whoever withdrew, and of the erased, the new topic tells nothing else"
    finally:
        await bus.end()
