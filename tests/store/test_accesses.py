"""Reads of people for a caller are in their logs of accesses: also those of a refusal, once for each purpose, and after no erasure."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from services.kernel import Command, Refused
from services.runtime.service import Service, running
from services.settings import Settings
from services.store.clock import now_utc
from services.store.people import erasure
from services.store.work import Work
from services.vault.keyring import master_holder, service_holder

PROGRAMME = "jobs2"
Handler = Callable[[Command, Work], Awaitable[Any]]


@pytest_asyncio.fixture
async def service(settings: Settings) -> AsyncIterator[Service]:
    """A service without consumers, which has the key of Ada."""
    own = settings.model_copy(update={"database": f"a{uuid.uuid4().hex[:10]}"})
    one = Service("grouping", own, holder=service_holder("grouping", own.keys))
    async with running(one, []):
        published = master_holder(own.keys).make("ada").published
        key = {"_id": f"{PROGRAMME}/ada", "programme": PROGRAMME, "sequence": 1, "value": published}
        await one.store["keys"].insert_one(key)
        yield one


async def run(service: Service, handler: Handler, *, known: bool = True) -> Any:
    commanding = service.commanding.on_behalf_of("olga", "operator") if known else service.commanding
    return await commanding.run(handler, Command(), service.rules[PROGRAMME], "c")


async def noted(service: Service) -> list[tuple[str, ...]]:
    found = service.store["access"].find({}).sort("_id", 1)
    return [(each["person"], each["who"], each["role"], each["what"]) async for each in found]


async def open_and_refuse(_: Command, work: Work) -> None:
    sealed = await work.seal("ada", "need", "step-free")
    raise Refused("no-access", f"It is not {await work.unseal('ada', 'need', sealed)}.")


async def open_twice(_: Command, work: Work) -> str:
    work.reads_for("a seat")
    sealed = await work.seal("ada", "need", "step-free")
    return await work.unseal("ada", "need", sealed) + await work.unseal("ada", "need", sealed)


async def open_for_nobody(_: Command, work: Work) -> None:
    await work.unseal("ada", "need", await work.seal("ada", "need", "step-free"), told=False)


async def test_what_a_refused_command_read_is_noted_though_its_transaction_is_aborted(service: Service) -> None:
    with pytest.raises(Refused, match="step-free"):
        await run(service, open_and_refuse)
    assert await noted(service) == [("ada", "olga", "operator", "open_and_refuse")]


async def test_a_person_is_noted_once_for_a_purpose_and_only_for_what_a_caller_is_told(service: Service) -> None:
    assert await run(service, open_twice) == "step-free" * 2
    await run(service, open_for_nobody)
    await run(service, open_twice, known=False)
    with pytest.raises(Refused):
        await run(service, open_and_refuse, known=False)
    assert await noted(service) == [("ada", "olga", "operator", "a seat")]


@pytest.mark.parametrize("how", ["command", "refusal", "query"])
async def test_a_note_that_is_written_beside_an_erasure_does_not_stay(service: Service, how: str) -> None:
    reached, over = asyncio.Event(), asyncio.Event()

    async def read(work: Work) -> None:
        await work.knows("ada")  # the snapshot is from before the erasure
        work.note_access("ada")
        reached.set()
        await over.wait()

    async def slow(_: Command, work: Work) -> None:
        await read(work)
        if how == "refusal":
            raise Refused("no", "No.")

    commanding, rules = service.commanding.on_behalf_of("olga", "operator"), service.rules[PROGRAMME]
    asked = commanding.query(read, rules) if how == "query" else commanding.run(slow, Command(), rules, "c")
    late = asyncio.create_task(asked)
    await reached.wait()
    writes = erasure(PROGRAMME, "ada", now_utc())
    await service.store.transaction(lambda transaction: service.store.write_all(writes, transaction))
    over.set()
    await asyncio.gather(late, return_exceptions=True)
    assert isinstance(late.exception(), Refused) is (how == "refusal")
    assert await noted(service) == []


async def test_no_answer_is_given_whose_notes_cannot_be_stored(service: Service) -> None:
    """An engine that refuses the notes: the log of accesses has a rule that nothing fits."""
    await service.store.db.command({"collMod": "access", "validator": {"person": "nobody"}})
    for handler in (open_and_refuse, open_twice):
        with pytest.raises(Exception) as failed:  # noqa: PT011
            await run(service, handler)
        assert not isinstance(failed.value, Refused)


async def test_the_reads_of_a_proposal_for_900_people_are_one_bulk_write(service: Service) -> None:
    async def everybody(work: Work) -> int:
        work.note_access(*(f"worker-{number}" for number in range(900)))
        return 900

    async def statements() -> dict[str, int]:
        counted = (await service.store.db.command("serverStatus"))["metrics"]["commands"]
        return {name: counted[name]["total"] for name in ("insert", "update", "find", "bulkWrite") if name in counted}

    before = await statements()
    await service.commanding.on_behalf_of("olga", "operator").query(everybody, service.rules[PROGRAMME])
    made = {name: number - before[name] for name, number in (await statements()).items()}
    assert len(await noted(service)) == 900
    assert sum(made.values()) < 10, made


async def test_many_callers_who_read_of_the_same_people_are_written_together(service: Service) -> None:
    """Transactions of their own would touch the same keys, conflict, and be repeated."""
    people = [f"worker-{number}" for number in range(20)]
    keys = [{"_id": f"{PROGRAMME}/{each}", "programme": PROGRAMME} for each in people]
    await service.store["keys"].insert_many(keys)

    async def look(number: int) -> None:
        await service.commanding.on_behalf_of(f"olga-{number}", "operator").note(PROGRAMME, people, "today")

    before = (await service.store.db.command("serverStatus"))["transactions"]
    await asyncio.gather(*(look(number) for number in range(30)))
    after = (await service.store.db.command("serverStatus"))["transactions"]
    assert len({who for _, who, _, _ in await noted(service)}) == 30
    assert len(await noted(service)) == 30 * len(people)
    assert after["totalStarted"] - before["totalStarted"] <= 4
    assert after["totalAborted"] == before["totalAborted"]


async def test_a_caller_who_leaves_takes_nothing_from_those_whose_notes_are_written_with_theirs(
    service: Service,
) -> None:
    looks = [
        asyncio.create_task(service.commanding.on_behalf_of(who, "operator").note(PROGRAMME, ["ada"], "today"))
        for who in ("anna", "bruno", "carla")
    ]
    await asyncio.sleep(0)
    looks[1].cancel()
    await asyncio.wait(looks)
    assert [each.cancelled() for each in looks] == [False, True, False]
    assert {"anna", "carla"} <= {who for _, who, _, _ in await noted(service)}
