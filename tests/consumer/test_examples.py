"""The worked examples as a partner runs them: real processes, as the partner's own user, on the feed that `notifications` publishes."""

import asyncio
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.contracts.enrolment import Purpose
from services.contracts.feed import Erased, Referred
from services.engines import Engines
from services.runtime.service import Service, running
from tests.consumer.conftest import NODE, PYTHON, ROOT, Ledger, Start, environment, reader_of
from tests.helpers.own_programme import World
from tests.helpers.randomness import chance
from tests.helpers.waiting import eventually

Rows = dict[str, dict[str, Any]]
STEPS = "referred, admitted, declined, seated, withdrew, reason"
EXAMPLES = pytest.mark.parametrize("example", [PYTHON, NODE], ids=["python", "javascript"])


def rows(path: Path) -> Rows:
    """Rows of an example's store, by person; none before there is a store."""
    with closing(sqlite3.connect(path, timeout=20)) as database:
        database.row_factory = sqlite3.Row
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'outcomes'").fetchone():
            return {}
        key = "key" if "key" in database.execute("SELECT * FROM outcomes").description[0] else "person"
        return {each[key]: dict(each) for each in database.execute(f"SELECT {key}, {STEPS} FROM outcomes")}


def reached(path: Path) -> list[tuple[bool, ...]]:
    """Which steps were reached, of each person."""
    found = rows(path).values()
    return sorted(
        tuple(each[step] is not None for step in ("referred", "admitted", "seated", "withdrew")) for each in found
    )


def free_port() -> int:
    """One that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


async def test_both_examples_follow_what_becomes_of_people_and_delete_what_is_to_be_deleted(
    world: World, teller: Callable[..., Service], engines: Engines, start: Start, tmp_path: Path
) -> None:
    port = free_port()
    async with running(teller(), ["relay", "consume"]):
        people = [await world.refer() for _ in range(5)]
        for each in people:
            await world.consent(each)
            await world.admit(each)
        feed = await reader_of(engines, world.partner)
        start(*PYTHON, **environment(feed, OUTCOMES_STORE="python.db", OUTCOMES_PORT=str(port)))
        start(*NODE, **environment(feed, OUTCOMES_STORE="javascript.db"))
        await world.seat(*people[:3])
        await world.feed(5 + 5 + 3)  # a withdrawal that is heard of before the seat leaves nothing to tell of it
        await world.withdraw(people[0])
        await world.feed(5 + 5 + 3 + 1)
        wanted = [(True, True, False, False)] * 2 + [(True, True, True, False)] * 2 + [(True, True, True, True)]
        for store in ("python.db", "javascript.db"):
            await eventually(partial(_is, tmp_path / store, wanted), 40)
        assert rows(tmp_path / "python.db") == {
            key: {("key" if name == "person" else name): value for name, value in each.items()}
            for key, each in rows(tmp_path / "javascript.db").items()
        }
        async with httpx.AsyncClient(timeout=30) as browser:
            page = (await browser.get(f"http://127.0.0.1:{port}/")).text
            assert '<html lang="it">' in page
            assert "Persone segnalate: 5. Ammesse: 5. Con un posto in un gruppo: 3. Uscite: 1." in page
            assert "(ha trovato lavoro)" in page
            await world.consent(people[1], False, Purpose.PARTNER_FEEDBACK)
            await world.erase(people[3])
            left = [(True, True, False, False), (True, True, True, False), (True, True, True, True)]
            for store in ("python.db", "javascript.db"):
                await eventually(partial(_is, tmp_path / store, left), 40)
            page = (await browser.get(f"http://127.0.0.1:{port}/")).text
            assert "Persone segnalate: 3." in page


async def _is(path: Path, wanted: Sequence[tuple[bool, ...]]) -> bool:
    return reached(path) == list(wanted)


async def test_the_programs_on_the_partners_page_run_as_they_stand(
    ledger: Ledger, start: Start, tmp_path: Path
) -> None:
    text = (ROOT / "docs/partners.md").read_text()
    for language, name in (("python", "outcomes.py"), ("javascript", "outcomes.mjs")):
        (tmp_path / name).write_text(text.split(f"```{language}\n")[1].split("```")[0])
    (tmp_path / "node_modules").symlink_to(Path(NODE[1]).parent / "node_modules")
    await ledger.many(3)
    await ledger.tell(Erased.type, "p0")
    start(PYTHON[0], "outcomes.py", **environment(ledger.feed))
    start(NODE[0], "outcomes.mjs", **environment(ledger.feed))
    for store, key in (("outcomes.db", "key"), ("outcomes-js.db", "person")):
        await eventually(partial(_has, tmp_path / store, key, [("p1", "2027-01-11"), ("p2", "2027-01-11")]), 40)


async def _has(store: Path, key: str, wanted: list[tuple[str, str]]) -> bool:
    with closing(sqlite3.connect(store, timeout=20)) as database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'outcomes'").fetchone():
            return False
        return database.execute(f"SELECT {key}, admitted FROM outcomes ORDER BY 1").fetchall() == wanted


@EXAMPLES
async def test_an_example_that_is_killed_in_the_middle_takes_each_entry_once(
    example: tuple[str, ...], ledger: Ledger, start: Start, tmp_path: Path
) -> None:
    store, people, kills = tmp_path / "x.db", 16, 2 if example is PYTHON else 1
    moments = chance()
    settings = environment(ledger.feed, OUTCOMES_STORE="x.db", OUTCOMES_PORT="0")
    await ledger.tell(Referred.type, "first")
    process = start(*example, **settings)
    await eventually(lambda: _is(store, [(True, False, False, False)]), 40)
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, 30) == 0
    witness(store)
    await ledger.many(people)
    for _ in range(kills):
        process = start(*example, **settings)
        await eventually(partial(writing, store, process), 60)
        await asyncio.sleep(moments.uniform(0.1, 0.6))
        process.kill()
        process.wait()
    start(*example, **settings)
    await eventually(lambda: _is(store, [(True, False, False, False)] + [(True, True, False, False)] * people), 90)
    with closing(sqlite3.connect(store)) as database:
        seen = database.execute("SELECT person, referred, admitted FROM witness ORDER BY rowid").fetchall()
    one = [(f"p{each}", referred, admitted) for each in range(people) for referred, admitted in ((1, 0), (1, 1))]
    assert seen == one


def witness(store: Path) -> None:
    """Within the example's own transactions, write down each change of a row; slowly, so that there is a middle to be killed in."""
    with closing(sqlite3.connect(store, timeout=20)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        table, key = ("outcomes_g1", "key") if "outcomes_g1" in tables else ("outcomes", "person")
        told = "json_extract(NEW.facts, '$.{0}')" if key == "key" else "NEW.{0}"
        facts = ", ".join(told.format(step) + " IS NOT NULL" for step in ("referred", "admitted"))
        database.executescript(
            "CREATE TABLE witness (person, referred, admitted, slowly);"
            "CREATE TABLE numbers (n);"
            "INSERT INTO numbers SELECT value FROM json_each('[' || replace(hex(zeroblob(800)), '00', '1,') || '1]');"
            + "".join(
                f"CREATE TRIGGER on_{when} AFTER {when} ON {table} BEGIN INSERT INTO witness "
                f"VALUES (NEW.{key}, {facts}, (SELECT count(*) FROM numbers a, numbers b WHERE a.n + b.n > 0)); END;"
                for when in ("INSERT", "UPDATE")
            )
        )


async def writing(store: Path, process: subprocess.Popen[bytes]) -> bool:
    """True while the process is in the middle of a transaction that writes."""
    assert process.poll() is None
    try:
        with closing(sqlite3.connect(store, timeout=0, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            database.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        return True
    return False
