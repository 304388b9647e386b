"""The index of names on a real database: complete after a start, level with every copy, and without whoever was erased."""

import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from functools import partial
from unittest.mock import patch

import pytest_asyncio
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.monitoring import CommandListener, CommandStartedEvent

from enrolment.domain import Status, Worker
from enrolment.people.index import NameIndex
from services import vault
from services.settings import Settings
from services.store.clock import now_utc
from services.store.collections import prepare
from services.store.mongo import DeleteOne, InsertOne, ReplaceOne, Store, UpdateOne
from services.vault.keyring import MasterHolder, master_holder

PROGRAMME = "monza-brianza"
FAMILIES = ("Rossi", "D'Angelo", "Muggiò", "De Luca", "Brambilla", "Colombo", "Fumagalli", "Sala", "Villa", "Riva")
GIVEN = ("Ada", "Ugo", "Maria Grazia", "Niccolò", "Eva", "José")


class Asked(CommandListener):
    """Counts the statements of one database."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.sent.append(event.command_name)

    def succeeded(self, event: object) -> None:
        """Ignored: a statement counts when it is sent."""

    def failed(self, event: object) -> None:
        """Ignored, for the same reason."""


class People:
    """A database of enrolment with people in it, written without commands, since ten thousand of those take minutes."""

    def __init__(self, store: Store, holder: MasterHolder, asked: Asked) -> None:
        self.store, self.holder, self.asked = store, holder, asked
        self.index = NameIndex()

    async def add(self, names: Sequence[tuple[str, str]], *, old: bool = True, never_filled: bool = False) -> list[str]:
        """Write people of these names; `never_filled`: by a version that did not keep when."""
        filled = None if never_filled else now_utc() - timedelta(hours=1 if old else 0)
        workers, keys = [], []
        for given, family in names:
            worker, key = Worker(id=str(uuid.uuid4()), partner="cisl"), vault.new_person_key()
            texts = {"given_name": given, "family_name": family}
            worker.fill_in({name: vault.seal(key, worker.id, name, text) for name, text in texts.items()}, filled)
            workers.append(worker)
            wrapped = self.holder._master.wrap(worker.id, key)
            keys.append(InsertOne({"_id": f"{PROGRAMME}/{worker.id}", "programme": PROGRAMME, "wrapped": wrapped}))
        await self.store.write_all({"keys": keys, "worker": [InsertOne(self.document(each)) for each in workers]})
        return [each.id for each in workers]

    @staticmethod
    def document(worker: Worker, version: int = 1) -> dict[str, object]:
        state = worker.model_dump(mode="json")
        return {
            "_id": f"{PROGRAMME}/{worker.id}",
            "programme": PROGRAMME,
            "version": version,
            "sequences": {},
            "state": state,
        }

    async def replace(self, worker: Worker) -> None:
        """Write the next version of somebody."""
        document = self.document(worker, 2)
        await self.store.write("worker", [ReplaceOne({"_id": document["_id"]}, document)])

    async def found(self, query: str, index: NameIndex | None = None) -> list[str]:
        index = index or self.index
        await index.refresh(self.store, self.holder, PROGRAMME)
        return index.found(PROGRAMME, query)


@pytest_asyncio.fixture
async def people(settings: Settings) -> AsyncIterator[People]:
    asked = Asked()
    with patch("services.store.mongo.AsyncIOMotorClient", partial(AsyncIOMotorClient, event_listeners=[asked])):
        store = Store(settings.mongo, settings.database_of("enrolment"))
    await prepare(store, [Worker])
    yield People(store, master_holder(settings.keys), asked)
    await store.close()


async def test_everybody_is_found_after_a_start_also_those_of_an_older_version(people: People) -> None:
    [old] = await people.add([("Ada", "D'Angelo")], never_filled=True)
    [new] = await people.add([("Ugo", "Muggiò")])
    assert await people.found("dangelo") == [old]
    assert await people.found("muggio ugo") == [new]
    assert people.index.everybody(PROGRAMME) == [old, new]


async def test_people_come_by_family_name_and_whoever_has_no_name_left_is_last(people: People) -> None:
    names = [("Zoe", "Àbate"), ("Ada", "Rossi"), ("", ""), ("Bea", "Àbate")]
    zoe, rossi, lost, bea = await people.add(names)
    await people.found("x")
    assert people.index.everybody(PROGRAMME) == [bea, zoe, rossi, lost]


async def test_a_code_finds_its_person_whole_or_by_its_end_and_three_characters_find_none(people: People) -> None:
    one, _ = await people.add([("Ada", "Rossi"), ("Ugo", "Sala")])
    for code in (one, one.upper(), one[-8:], f"{one[-8:-4]}-{one[-4:]}".upper(), one[-4:]):
        assert one in await people.found(code)
    assert await people.found(one[-3:]) == []
    assert await people.found("  -'- ") == []


async def test_a_search_sees_what_another_copy_wrote_just_before(people: People) -> None:
    [ada] = await people.add([("Ada", "Rossi")])
    assert await people.found("rossi") == [ada]
    [ugo] = await people.add([("Ugo", "Rossini")], old=False)
    assert await people.found("rossi") == [ada, ugo]
    key = await people.store.by_id("keys", [f"{PROGRAMME}/{ada}"])
    opened = people.holder._master.unwrap(ada, key[f"{PROGRAMME}/{ada}"]["wrapped"])
    corrected = Worker(id=ada, partner="cisl")
    corrected.fill_in({"family_name": vault.seal(opened, ada, "family_name", "Verdi")}, now_utc())
    await people.replace(corrected)
    assert (await people.found("rossi"), await people.found("verdi")) == ([ugo], [ada])


async def test_whoever_was_erased_is_in_no_copy_after_its_next_look(people: People) -> None:
    [ada, ugo] = await people.add([("Ada", "Rossi"), ("Ugo", "Rossi")])
    other = NameIndex()
    assert len(await people.found("rossi", other)) == len(await people.found("rossi")) == 2
    erased = Worker(id=ada, partner="cisl")
    erased.erase(now_utc())
    assert erased.status is Status.ERASED
    await people.replace(erased)
    await people.store.write("keys", [DeleteOne({"_id": f"{PROGRAMME}/{ada}"})])
    for index in (people.index, other):
        assert await people.found("", index) == []
        assert index.everybody(PROGRAMME) == [ugo]
        assert "ada" not in repr(index._known)


async def test_a_name_that_does_not_open_keeps_nobody_else_from_being_found(people: People) -> None:
    [bad, good] = await people.add([("Ada", "Rossi"), ("Ugo", "Rossi")])
    await people.store.write(
        "worker", [UpdateOne({"_id": f"{PROGRAMME}/{bad}"}, {"$set": {"state.card.family_name": "2.AAAA"}})]
    )
    assert await people.found("rossi") == [good]


async def test_the_database_holds_nothing_of_a_name_that_is_not_sealed(people: People) -> None:
    await people.add([("Ada", "Brambillasca")], old=False)
    await people.found("brambillasca")
    for name in await people.store.db.list_collection_names():
        async for document in people.store[name].find():
            assert "bramb" not in str(document).lower()


async def test_a_search_among_ten_thousand_asks_as_little_as_among_ten(people: People) -> None:
    asked = []
    for number in (10, 9_990):
        names = [(GIVEN[n // 10 % 6], f"{FAMILIES[n % 10]} {n}") for n in range(number)]
        await people.add(names)
        people.index = NameIndex()
        await people.found("rossi")
        people.asked.sent.clear()
        assert len(await people.found("dangelo ada")) >= 1
        asked.append(people.asked.sent.copy())
    assert len(people.index.everybody(PROGRAMME)) == 10_000
    assert asked[0] == asked[1] == ["find"]
