"""An older backup on a bus that is ahead: nothing is numbered, said, told or written twice, and who was erased stays so."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio

from grouping.pairs import commands as pairs
from grouping.registers import commands as register
from notifications.domain import Message
from services.contracts.enrolment import Purpose
from services.contracts.grouping import Wish
from services.engines import Engines
from services.kernel import Refused
from services.operations.backup.report import RestoreReport
from services.settings import Settings
from tests.helpers.mail_server import taking
from tests.operations.backup.conftest import (
    Documents,
    Town,
    elsewhere,
    everything,
    feed,
    living,
    of_its_own,
    on_the_bus,
    put,
    sequences,
    take,
)

READ_MODELS = (
    "enrolment desk", "grouping pool", "grouping groups", "sessions calendar", "sessions leads",
    "analytics path", "analytics meetings", "analytics attendance", "analytics scores",
)  # fmt: skip


@dataclass
class Lives:
    """People who lived through the disaster, and the data on its eve."""

    settings: Settings
    backup: Path
    partner: str
    seated: list[str]
    erased: str
    newcomers: list[str]
    withdrew: str
    eve: dict[str, Documents] = field(default_factory=dict)
    told: list[dict[str, Any]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    @property
    def leader(self) -> str:
        """The facilitator of the group that was formed since."""
        groups = (each["state"] for each in self.eve["grouping group"].values())
        return str(next(each["facilitator"] for each in groups if each["members"][0]["worker"] in self.newcomers))


async def a_place(town: Town, name: str, title: str) -> None:
    place = register.RegisterPlace(
        place=name, title=title, address="via Roma 1", municipality="monza", rooms=9, access=True
    )
    await town.world.grouping.do(register.register_place, place, town.world.programme)


async def a_leader(town: Town, name: str) -> None:
    leader = register.RegisterFacilitator(
        facilitator=name, municipality="monza", travel_km=30, slots=frozenset({"thu-evening"}), groups=2
    )
    await town.world.grouping.do(register.register_facilitator, leader, town.world.programme)


async def apart(town: Town, worker: str, mate: str) -> None:
    wish = pairs.Ask(worker=worker, mate=mate, wish=Wish.APART)
    await town.world.grouping.do(pairs.ask, wish, town.world.programme)


async def welcome(town: Town, number: int) -> list[str]:
    """So many people, admitted, who consent to everything."""
    workers = [await town.world.refer() for _ in range(number)]
    for each in workers:
        await town.world.consent(each)
        await town.world.admit(each)
    return workers


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def lives(engines: Engines, keys: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lives]:
    """They live, a backup is taken, they live on; then everything stops."""
    folder = tmp_path_factory.mktemp("older")
    with taking() as server:
        settings = of_its_own(engines, keys, folder).model_copy(update={"smtp": server.address})
        async with living(settings) as town:
            seated, (erased, withdrew) = await welcome(town, 2), await welcome(town, 2)
            await town.world.seat(*seated)
            await town.rests()
            backup = await take(settings, folder / "backup")
            newcomers = await welcome(town, 2)
            await town.world.seat(*newcomers)
            await apart(town, *newcomers)
            await a_place(town, "nuova", "Casa nuova")
            await a_place(town, "casa", "Casa rinnovata")
            await town.world.erase(erased)
            await town.world.withdraw(withdrew)
            await town.world.consent(seated[0], False, Purpose.PARTNER_FEEDBACK)
            await town.rests()
            lived = Lives(settings, backup, town.world.partner, seated, erased, newcomers, withdrew)
        lived.eve, lived.told = await everything(settings), await feed(settings, lived.partner)
        lived.messages = [str(each["To"]) for each in server.taken]
    yield lived


def models(found: dict[str, Documents]) -> dict[str, Documents]:
    """Give the rows of all read models."""
    return {name: found.get(f"{name}.g1", {}) for name in READ_MODELS}


def state(found: dict[str, Documents]) -> dict[str, Any]:
    """Give the state of aggregates, as far as events carry it: consents, statuses, waiting people, groups and sessions."""
    people = {
        _id: {
            "status": each["state"]["status"],
            "consents": each["state"]["consents"],
            "named": bool(each["state"]["card"]),
        }
        for _id, each in found["enrolment worker"].items()
    }
    others = (
        "grouping seeker",
        "grouping group",
        "grouping pair",
        "grouping place",
        "sessions roster",
        "sessions session",
        "sessions survey",
    )
    return {
        "people": people,
        **{name: {_id: _known(each["state"]) for _id, each in found[name].items()} for name in others},
    }


def _known(state: dict[str, Any]) -> dict[str, Any]:
    """But for the trace in which it came; of what is sealed anew, that it is there."""
    sealed = {name: state[name] is not None for name in ("profile", "wish") if name in state}
    return state | sealed | {"trace": None}


async def nothing_is_amiss(settings: Settings) -> None:
    """Each sequence is one event's, without a gap; no consumer stopped, waits behind a gap, or has a dead letter."""
    for (source, subject), places in (await sequences(settings)).items():
        assert all(len(ids) == 1 for ids in places.values()), (source, subject, dict(places))
        assert sorted(places) == list(range(1, len(places) + 1)), (source, subject)
    found = await everything(settings)
    for name, rows in found.items():
        assert not name.endswith((" dead", " parked")), (name, rows)
        if name.endswith(" marks"):
            assert not [each for each in rows.values() if each.get("stopped")]


@pytest.mark.long
async def test_one_older_database_among_others_that_are_ahead_is_brought_level(lives: Lives) -> None:
    """Grouping's alone was lost: it takes again what it lacks, and says nothing twice."""
    told = await put(lives.settings, lives.backup, ["grouping"], replace=True)
    async with living(lives.settings) as town:
        await town.rests()
        await nothing_is_amiss(lives.settings)
        assert models(await everything(lives.settings)) == models(lives.eve)
        assert state(await everything(lives.settings)) == state(lives.eve)
        before = await said_by_grouping(lives.settings)
        await a_leader(town, lives.leader)  # of whom no record is left
        await a_place(town, "casa", "Casa rinnovata")  # whose record is older than the bus
        await town.rests()
        await nothing_is_amiss(lives.settings)
        assert len(await said_by_grouping(lives.settings)) == len(before) + 2, "nothing but these was said"
    assert {each.service for each in told.lost} == {"grouping"}


async def said_by_grouping(settings: Settings) -> set[str]:
    return {orjson.loads(each.value)["id"] for each in await on_the_bus(settings, "ama.grouping")}


@pytest.mark.long
async def test_an_older_backup_of_all_five_is_brought_level_and_goes_on(lives: Lives) -> None:
    again = elsewhere(lives.settings)
    told = await put(again, lives.backup)
    with taking() as server:
        again = again.model_copy(update={"smtp": server.address})
        async with living(again) as town:
            await town.rests()
            assert models(await everything(again)) == models(lives.eve)
            assert state(await everything(again)) == state(lives.eve)
            assert await feed(again, lives.partner) == lives.told, "partners are told nothing twice"
            await nothing_is_amiss(again)
            await the_erased_stay_erased(town, lives)
            await a_leader(town, lives.leader)
            await a_place(town, "nuova", "Casa ancora più nuova")
            late = await welcome(town, 2)
            await town.world.seat(*late)
            await town.world.withdraw(lives.seated[1])
            await town.rests()
            await nothing_is_amiss(again)
            after = await everything(again)
        assert after["notifications venue"][f"{lives.settings.only}/nuova"]["state"]["title"] == "Casa ancora più nuova"
        messages = [str(each["To"]) for each in server.taken]
    entries = await feed(again, lives.partner)
    assert entries[: len(lives.told)] == lives.told
    assert [int(each["sequence"]) for each in entries] == list(range(1, len(lives.told) + 3 * 2 + 1 + 1))
    assert len(messages) == 2 * len(late), "nobody is written to about a seat or a survey of which they were told"
    told_of = Counter(each["state"]["worker"] for each in after[f"notifications {Message.noun}"].values())
    assert {told_of[each] for each in (*lives.newcomers, *late, lives.seated[0])} == {2}
    what_is_lost_is_told(told, lives)


def what_is_lost_is_told(told: RestoreReport, lives: Lives) -> None:
    """By subject, with what to do; what the services mend by themselves is not among it."""
    assert (told.conflicts, told.notes, told.erased_since) == ([], [], 1)
    lost = {(each.service, each.subject): each for each in told.lost}
    for each in lives.newcomers:
        assert [event.type for event in lost["enrolment", each].events] == ["worker.referred"]
        assert any("refer them again" in todo for todo in lost["enrolment", each].todo)
    assert ("enrolment", lives.erased) not in lost
    assert ("enrolment", lives.withdrew) not in lost
    assert {each.subject for each in told.lost if each.service == "grouping"} == {lives.leader}, (
        "whom no event describes"
    )
    assert {each.service for each in told.lost} == {"enrolment", "grouping"}
    assert any("restored as of" in line for line in told.lines())


async def the_erased_stay_erased(town: Town, lives: Lives) -> None:
    """No key, no readable record, no row."""
    person = f"{town.world.programme}/{lives.erased}"
    for service in town.all_services.services.values():
        assert await service.store["erased"].find_one({"_id": person})
        assert not await service.store["keys"].find_one({"_id": person})
    worker = await town.world.enrolment.store["worker"].find_one({"_id": person})
    assert worker is not None
    assert (worker["state"]["status"], worker["state"]["card"], worker["state"]["consents"]) == ("erased", {}, {})
    rows = [
        row for name, some in (await everything(town.world.settings)).items() if ".g1" in name for row in some.values()
    ]
    assert not [row for row in rows if row.get("person") == lives.erased]
    with pytest.raises(Refused, match="was erased"):
        await town.world.consent(lives.erased)
