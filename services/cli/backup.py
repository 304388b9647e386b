"""`ama backup` and `ama restore`: all five databases as of one moment, to an encrypted file and back.

Invariant: a backup is encrypted with a key that lies elsewhere, or it is not taken. It holds no person's key; keys go into a separate
file, and only on request.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from typer.core import TyperGroup

from services.cli.terminal import Terminal

if TYPE_CHECKING:
    from services.settings import Settings

PASSPHRASE = "AMA_BACKUP_PASSPHRASE"  # noqa: S105  # the name of a variable
HERE = Path(".ama")
SOON = 3.0  # seconds within which a MongoDB that runs has a primary
NO_KEY = "`ama keys make {folder}` makes it: keep a copy of it apart from backups"
Key = Annotated[
    Path | None,
    typer.Option(help="The key of backups; by default backup.agekey among the keys.", envvar="AMA_BACKUP_KEY"),
]
Data = Annotated[
    Path,
    typer.Option(
        "--data",
        help="Folder of an `ama up`, running or stopped; without one, AMA_KAFKA and AMA_MONGO name the engines.",
        envvar="AMA_DATA",
    ),
]
KEYS_WARNING = (
    "{path} opens people's data to anyone with its passphrase and the key files. Keep it apart from these and from the "
    "backup. Keep only the newest and destroy older ones: they open the data of people who were erased since."
)


class _TakeByDefault(TyperGroup):
    """A group whose command is `take` when none is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `take` before arguments that begin with no command."""
        known = {*self.commands, "--help"}
        return super().parse_args(ctx, args if args and args[0] in known else ["take", *args])


app = typer.Typer(
    cls=_TakeByDefault, help="Take an encrypted backup of all five databases while they run, or check one."
)


@app.callback()
def backup() -> None:
    """Take a backup of all five databases while they run: `ama backup [FILE]`. Check a backup: `ama backup check FILE`. Keep the register
    of erasures and refusals: `ama backup register [FILE]`."""


@app.command()
def take(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="A new file; by default named after the time, in DATA/backups."),
    ] = None,
    keys: Annotated[Path | None, typer.Option(help="Also write people's keys to this new file.")] = None,
    key: Key = None,
    data: Data = HERE,
) -> None:
    """Take a backup of all five databases as of one moment, encrypt it, and verify it. The services may run; of a stopped `ama up`, the
    engines are started for it alone. No file is overwritten.

    The file opens with the key of backups alone (`ama keys make`). People's keys are not in it: after a restore they come from Kafka. If
    Kafka may be lost as well, --keys writes them to a separate file, sealed with a passphrase (prompted for, or AMA_BACKUP_PASSPHRASE).
    """
    from services.operations.backup import people

    # Asked for first, and twice: a typing error would show only when the keys are needed.
    also = partial(people.keys_to_file, keys, _passphrase(confirm=True)) if keys else None
    _take(data, file, key, "backup", also)
    if keys is not None:
        Terminal(stderr=True).print(KEYS_WARNING.format(path=keys), soft_wrap=True)


@app.command()
def register(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="A new file; by default named after the time, in DATA/backups."),
    ] = None,
    key: Key = None,
    data: Data = HERE,
) -> None:
    """Keep who was erased and who refused what, encrypted as a backup is. `ama restore --register FILE` keeps it so if Kafka is lost.

    It holds ids, purposes and times. Take it after each erasure or withdrawal of a consent, and keep it elsewhere than Kafka.
    """
    _take(data, file, key, "register", None)


def _take(data: Path, file: Path | None, key: Path | None, kind: str, also: Any) -> None:
    from services.cli.engines import at_hand, backups_of
    from services.contracts.topics import SERVICES
    from services.operations.backup import dump
    from services.vault import BackupKeys

    # Before engines are started, which takes seconds.
    path = key or _key_of(data)
    opened = BackupKeys.load(path, NO_KEY.format(folder=path.parent))
    with at_hand(data) as given:
        # In UTC, so that files list in order also when clocks change.
        into = file or backups_of(data) / f"{given.database}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.{kind}.age"

        async def run(stores: Any, report: Any) -> Any:
            plan = dump.DumpPlan(into, opened, also, register=kind == "register")
            # In a thread, since it uses the synchronous objects of the driver, which block.
            return await asyncio.to_thread(dump.dump, stores, plan, report)

        manifest = _with_stores(given, SERVICES, run)
    Terminal().print(
        f"{into}: {manifest.documents} documents of {len(manifest.parts)} services, encrypted and verified.",
        highlight=False,
        soft_wrap=True,
    )


def _key_of(data: Path) -> Path:
    from services.cli.engines import keys_of
    from services.vault.backup_keys import FILE

    return keys_of(data) / FILE


@app.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The backup.")], key: Key = None, data: Data = HERE
) -> None:
    """Read a whole backup and compare it with its hashes. Needs its key, and no database."""
    from services.operations.backup.sources import check as check_source
    from services.operations.backup.sources import open_backup

    # A check writes nothing, so it also reads a folder in the clear.
    source = open_backup(file, key or _key_of(data), clear=True)
    with _progress() as report, _one_sentence():
        found = check_source(source, report).manifest
    Terminal().print(
        f"{file} is whole: {found.documents} documents, taken {found.made:%Y-%m-%d %H:%M:%S} UTC.", highlight=False
    )
    if file.is_dir():
        Terminal(stderr=True).print(
            "It is of before encryption, and everybody can read it: replace it by a new backup."
        )


def restore(
    file: Annotated[Path, typer.Argument(metavar="BACKUP", help="The backup's file.")],
    service: Annotated[
        list[str] | None, typer.Option(help="Only the database of this service; can be repeated. By default all five.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Delete the present content of the databases.")] = False,
    keys: Annotated[Path | None, typer.Option(help="The file of people's keys, if Kafka has lost them.")] = None,
    register: Annotated[
        list[Path] | None,
        typer.Option(help="A newer backup or register: what it knows as erased or refused stays so; can be repeated."),
    ] = None,
    erasures_unknown: Annotated[
        bool, typer.Option("--erasures-unknown", help="Accept that nothing tells who was erased or withdrew since.")
    ] = False,
    keyless: Annotated[
        bool, typer.Option("--keyless", help="To look only: without people's keys; sealed data stays unreadable.")
    ] = False,
    clear: Annotated[
        bool, typer.Option("--clear", help="Restore a folder of before encryption, which everybody can read.")
    ] = False,
    key: Key = None,
    report_to: Annotated[
        Path | None, typer.Option("--report", help="File for the report of what was not restored, as JSON.")
    ] = None,
    data: Data = HERE,
) -> None:
    """Restore a backup into empty databases, and bring it level with Kafka. Stop the services first.

    Of an `ama up`, the engines are started for it alone; where AMA_KAFKA and AMA_MONGO name engines, they must run.

    Later events are read back from Kafka first, so that no sequence is used twice. People who were erased since stay erased; when
    nothing tells who they are, nothing is restored. Consumers catch up when the services start. What was not restored is listed by
    subject, with what to do.
    """
    from services.cli.engines import at_hand, backups_of
    from services.contracts.topics import SERVICES
    from services.engines.private import write_private
    from services.events.bus.client import Bus
    from services.operations.backup.registers import erased_in
    from services.operations.backup.report import report_of
    from services.operations.backup.restore import RestorePlan
    from services.operations.backup.restore import restore as restore_all
    from services.operations.backup.sources import open_backup
    from services.settings import Misconfigured

    chosen = service or list(SERVICES)
    if unknown := set(chosen) - set(SERVICES):
        raise Misconfigured(f"There is no service {unknown.pop()}; there are {', '.join(SERVICES)}.")
    if keys and keyless:
        raise Misconfigured("Give --keys or --keyless, not both.")
    opens = key or _key_of(data)
    source = open_backup(file, opens, clear=clear)
    with _one_sentence():
        # Read whole before anything is changed, so that a damaged one stops the restore.
        registers = erased_in(open_backup(each, opens, clear=True) for each in register or [])
    sealed = (keys, _passphrase(confirm=False)) if keys else None
    to = report_to or backups_of(data) / f"restore-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    with at_hand(data, alone=True) as given:
        wanted = RestorePlan(
            source,
            replace=replace,
            keys=sealed,
            folder=None if keyless else given.keys,
            registers=registers,
            only=frozenset(given.only.split(",")) if given.only else None,
            erasures_unknown=erasures_unknown,
        )

        async def run(stores: Any, report: Any) -> Any:
            # On a new machine the restore comes before `ama provision`, so the set may not exist yet.
            await _found_set(given)
            return await report_of(await restore_all(stores, Bus(given), wanted, report), stores)

        restored = _with_stores(given, chosen, run)
    to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Before the screen, which shows some of it only: the file has everything, whatever happens to the terminal.
    write_private(to, restored.model_dump_json(indent=1))
    for line in restored.lines():
        Terminal().print(line, soft_wrap=True)
    Terminal().print(f"The whole report is in {to}.", soft_wrap=True)


async def _found_set(given: "Settings") -> None:
    """Make a new MongoDB the replica set that its address names, as `ama provision` does. A MongoDB with a primary is left alone."""
    from services.operations.provision.mongo import found_set
    from services.store.errors import is_transient
    from services.store.mongo import PyMongoError, Store, within

    store = Store(given.mongo, given.database)
    try:
        with within(SOON):
            await store.ping()
    except PyMongoError as error:
        if not is_transient(error):
            # A refused login, for example: founding a set would not help, and would hide the reason.
            raise
        Terminal(stderr=True).print("MongoDB has no primary yet: waiting for it, or founding its replica set.")
        await found_set(given)
    finally:
        await store.close()


def _passphrase(*, confirm: bool) -> str:
    # cron has no terminal that could be asked.
    given = os.environ.get(PASSPHRASE)
    return given or str(typer.prompt("Passphrase of the file of keys", hide_input=True, confirmation_prompt=confirm))


def _with_stores(given: Any, services: Sequence[str], work: Callable[[Any, Any], Awaitable[Any]]) -> Any:
    """Do the work with the databases of these services and a progress bar."""
    from services.store.mongo import Store

    async def run() -> Any:
        stores = {name: Store(given.mongo, given.database_of(name)) for name in services}
        try:
            return await work(stores, report)
        finally:
            for store in stores.values():
                await store.close()

    with _progress() as report, _one_sentence():
        return asyncio.run(run())


@contextmanager
def _one_sentence() -> Iterator[None]:
    """Say what only a backup knows of an error; `services.cli.failures` says the rest. Raises Misconfigured."""
    from services.settings import Misconfigured

    try:
        yield
    except TimeoutError as error:
        raise Misconfigured("Kafka does not answer, and a restore needs it.") from error
    except FileExistsError as error:
        raise Misconfigured(f"{error.filename} exists already: a backup overwrites nothing.") from error


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on standard error, with the current step."""
    columns = (TextColumn("{task.description:<42}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Terminal(stderr=True), transient=True) as progress:
        task = TaskID(progress.add_task("", total=None))
        yield lambda step, done, total: progress.update(task, description=step, completed=done, total=total or None)
