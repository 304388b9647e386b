"""`ama backup` and `ama restore`: all five databases, at one moment, into a folder and back.

Invariant: a backup holds no key of a person; keys go into a file of their own, and only when asked for.
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
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from typer.core import TyperGroup

if TYPE_CHECKING:
    from services.settings import Settings

PASSPHRASE = "AMA_BACKUP_PASSPHRASE"  # noqa: S105  # the name of a variable
HERE = Path(".ama")
SOON = 3.0  # seconds within which a MongoDB that runs has a primary
Data = Annotated[Path, typer.Option("--data", help="Folder of the running `ama up`.", envvar="AMA_DATA")]
KEYS_WARNING = (
    "[bold]{path} opens people's data[/bold] to whoever has it, its passphrase and the key files. Keep it apart from these and from the "
    "backup, keep only the newest, and destroy older ones: whoever was erased since could be read again with them."
)


class _Taking(TyperGroup):
    """`ama backup` takes one; `ama backup check` looks at one."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Without the name of a command, it is `take`."""
        known = {*self.commands, "--help"}
        return super().parse_args(ctx, args if args and args[0] in known else ["take", *args])


app = typer.Typer(cls=_Taking, help="Take a backup of all five databases while they run; check one.")


@app.callback()
def backup() -> None:
    """Take a backup of all five databases while they run: `ama backup [DIR]`. Check one: `ama backup check DIR`."""


@app.command()
def take(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="A new folder; without it, one named for the time.")
    ] = None,
    keys: Annotated[Path | None, typer.Option(help="Also people's keys, into this new file.")] = None,
    data: Data = HERE,
) -> None:
    """Take a backup, at one moment of all five databases, and verify it. The services may run. Nothing is overwritten.

    People's keys are not in it: after a restore they come from Kafka. For the day on which Kafka is lost as well, --keys puts them into a
    file of its own, sealed with a passphrase (asked for, or AMA_BACKUP_PASSPHRASE).
    """
    from services.cli.where import settings
    from services.contracts.topics import SERVICES
    from services.operations.backup import dump, people

    given = settings(data)
    into = folder or Path(f"{given.database}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    also = partial(people.keys_to_file, keys, _passphrase(confirm=True)) if keys else None

    async def run(stores: Any, report: Any) -> Any:
        return await asyncio.to_thread(dump.dump, stores, into, report, also)

    manifest = _with_stores(given, SERVICES, run)
    Console().print(
        f"{into}: {manifest.documents} documents of {len(manifest.parts)} services, verified.", highlight=False
    )
    if keys is not None:
        Console(stderr=True).print(KEYS_WARNING.format(path=keys), soft_wrap=True)


@app.command()
def check(folder: Annotated[Path, typer.Argument(metavar="DIR", help="The backup.")]) -> None:
    """Read all of a backup and compare it with what was written. Needs no database."""
    from services.operations.backup import manifest

    with _bars() as report, _saying():
        found = manifest.check(folder, report)
    Console().print(
        f"{folder} is whole: {found.documents} documents, taken {found.made:%Y-%m-%d %H:%M:%S} UTC.", highlight=False
    )


def restore(
    folder: Annotated[Path, typer.Argument(metavar="BACKUP", help="The backup's folder.")],
    service: Annotated[
        list[str] | None, typer.Option(help="Only this service's database; can be given again. Without it, all five.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Delete what the databases hold now.")] = False,
    keys: Annotated[Path | None, typer.Option(help="The file of people's keys, where Kafka has them no more.")] = None,
    register: Annotated[
        list[Path] | None, typer.Option(help="A newer backup, whose erased are respected too; can be given again.")
    ] = None,
    keyless: Annotated[
        bool, typer.Option("--keyless", help="Without key files: what people said of themselves stays unreadable.")
    ] = False,
    report_to: Annotated[
        Path | None, typer.Option("--report", help="Where to write what could not be mended, as JSON.")
    ] = None,
    data: Data = HERE,
) -> None:
    """Put a backup into empty databases, and bring it level with Kafka. The services must be stopped; Kafka and MongoDB must run.

    What Kafka has of later events comes back first, so that nothing is numbered twice; people who were erased since stay erased; consumers
    take what they lack when the services are started. What could not be mended is listed by subject, with what to do.
    """
    from services.cli.where import settings
    from services.contracts.topics import SERVICES
    from services.events.bus.client import Bus
    from services.operations.backup.registers import erased_in
    from services.operations.backup.report import report_of
    from services.operations.backup.restore import RestorePlan
    from services.operations.backup.restore import restore as restore_all
    from services.settings import Misconfigured

    chosen = service or list(SERVICES)
    if unknown := set(chosen) - set(SERVICES):
        raise Misconfigured(f"There is no service {unknown.pop()}; there are {', '.join(SERVICES)}.")
    if keys and keyless:
        raise Misconfigured("Either --keys or --keyless.")
    given = settings(data)
    wanted = RestorePlan(
        folder,
        replace=replace,
        keys=(keys, _passphrase(confirm=False)) if keys else None,
        folder=None if keyless else given.keys,
        registers=erased_in(register or []),
        only=frozenset(given.only.split(",")) if given.only else None,
    )
    to = report_to or Path(f"restore-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json")

    async def run(stores: Any, report: Any) -> Any:
        await _found(given)
        return await report_of(await restore_all(stores, Bus(given), wanted, report), stores)

    told = _with_stores(given, chosen, run)
    to.write_text(told.model_dump_json(indent=1))
    for line in told.lines():
        Console().print(line, markup=False, highlight=False, soft_wrap=True)
    Console().print(f"All of it is in {to}.", highlight=False)


async def _found(given: "Settings") -> None:
    """A MongoDB that is new becomes the replica set that its address names, as `ama provision` does it; another is left as it is."""
    from services.operations.provision.mongo import found_set
    from services.store.errors import is_transient
    from services.store.mongo import PyMongoError, Store, within

    store = Store(given.mongo, given.database)
    try:
        with within(SOON):
            await store.ping()
    except PyMongoError as error:
        if not is_transient(error):
            raise
        Console(stderr=True).print("MongoDB has no primary yet: it is waited for, and founded where it is new.")
        await found_set(given)
    finally:
        await store.close()


def _passphrase(*, confirm: bool) -> str:
    given = os.environ.get(PASSPHRASE)
    return given or str(typer.prompt("Passphrase of the file of keys", hide_input=True, confirmation_prompt=confirm))


def _with_stores(given: Any, services: Sequence[str], work: Callable[[Any, Any], Awaitable[Any]]) -> Any:
    """Do it with these services' databases and a progress bar."""
    from services.store.mongo import Store

    async def run() -> Any:
        stores = {name: Store(given.mongo, given.database_of(name)) for name in services}
        try:
            return await work(stores, report)
        finally:
            for store in stores.values():
                await store.close()

    with _bars() as report, _saying():
        return asyncio.run(run())


@contextmanager
def _saying() -> Iterator[None]:
    """What goes wrong is one sentence."""
    from aiokafka.errors import KafkaError

    from services.operations.backup.documents import Damaged
    from services.settings import Misconfigured
    from services.store.errors import is_transient
    from services.store.mongo import PyMongoError

    try:
        yield
    except Damaged as damaged:
        raise Misconfigured(f"The backup is damaged: {damaged}.") from damaged
    except PyMongoError as error:
        if is_transient(error):
            raise Misconfigured(
                f"MongoDB has no primary that answers ({type(error).__name__}): start it; a new one is made ready by `ama provision`."
            ) from error
        raise Misconfigured(f"MongoDB did not do it: {type(error).__name__}: {str(error)[:200]}") from error
    except (KafkaError, TimeoutError) as error:
        raise Misconfigured(
            f"Kafka cannot be asked ({type(error).__name__}), and nothing is restored without it."
        ) from error


@contextmanager
def _bars() -> Iterator[Callable[[str, int, int], None]]:
    """A line for what is being done."""
    columns = (TextColumn("{task.description:<42}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = TaskID(progress.add_task("", total=None))
        yield lambda what, done, there: progress.update(task, description=what, completed=done, total=there or None)
