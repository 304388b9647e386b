"""`ama dead`: dead letters, listed, shown, redriven or dismissed.

Invariant: a payload is shown as it is on the bus, never decrypted; a command stores a decision, and the consumer carries it out.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.table import Table

from services.cli.terminal import Terminal, say_json, wide

T = TypeVar("T")
app = typer.Typer(
    no_args_is_help=True, help="List, show, redrive or dismiss dead letters: events that a consumer could not process."
)
Data = Annotated[Path, typer.Option("--data", help="Folder of the running `ama up`.", envvar="AMA_DATA")]
Service = Annotated[str, typer.Argument(help="enrolment, grouping, sessions, notifications or analytics")]
Id = Annotated[str, typer.Argument(help="The id of the dead letter, as `list` shows it.")]
By = Annotated[str, typer.Option(help="The person who decides; stored with the decision.", envvar="AMA_BY")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
HERE = Path(".ama")


@app.command("list")
def list_(
    service: Annotated[str | None, typer.Argument(help="One of the five services; by default all.")] = None,
    consumer: Annotated[str | None, typer.Option(help="Only dead letters of this consumer.")] = None,
    closed: Annotated[bool, typer.Option("--closed", help="Also those that are closed.")] = False,
    as_json: Json = False,
    data: Data = HERE,
) -> None:
    """List open dead letters, oldest first."""
    from services.contracts.topics import SERVICES
    from services.events.inbox.dead_letters import listed

    rows: list[dict[str, Any]] = []
    # One database after the other: none holds the dead letters of another service.
    for name in [service] if service else SERVICES:
        there = _on(name, data, lambda store: listed(store, consumer, closed))
        rows += [{"service": name, **each} for each in there]
    if as_json:
        say_json([_plain(each) for each in rows])
        return
    wide().print(_table(rows) if rows else "No dead letters.")


@app.command()
def show(service: Service, id: Id, as_json: Json = False, data: Data = HERE) -> None:
    """Show one dead letter: the reason, the origin, the envelope, the events that wait behind it, and its history."""
    from services.events.inbox.dead_letters import found, subject_state

    async def look(store: Any) -> dict[str, Any]:
        dead = await found(store, id)
        return {**dead, **await subject_state(store, dead)}

    dead = _plain(_on(service, data, look))
    if as_json:
        say_json(dead)
        return
    to = wide()
    for name in ("id", "status", "why", "at", "consumer", "origin", "type", "subject", "sequence"):
        to.print(f"{name:>9}  {dead.get(name, '-')}")
    to.print(
        f"{'behind it':>9}  {dead['parked']} of its subject's events wait; the last that was taken has sequence {dead['taken']}"
    )
    for each in dead["history"]:
        reason = f": {each['why']}" if "why" in each else ""
        to.print(f"{'history':>9}  {each['at']} {each['what']}, by {each['by']}{reason}", soft_wrap=True)
    first, *more = _pretty(dead["record"]).split("\n")
    to.print(f"{'record':>9}  {first}", *more, sep="\n", soft_wrap=True)


@app.command()
def redrive(
    service: Service,
    id: Annotated[str | None, typer.Argument(help="The id of the dead letter, as `list` shows it.")] = None,
    all_of: Annotated[
        str | None, typer.Option("--all", metavar="CONSUMER", help="All open dead letters of this consumer.")
    ] = None,
    by: By = "operator",
    data: Data = HERE,
) -> None:
    """Let the consumer process a dead letter again, then the events that wait behind it, in order. A new failure makes it dead again."""
    from services.events.inbox.dead_letters import listed
    from services.events.inbox.dead_letters import redrive as again

    # A forgotten id must not redrive all dead letters of a consumer.
    if (id is None) == (all_of is None):
        raise typer.BadParameter("give an id, or --all CONSUMER")
    if id is not None:
        held = _on(service, data, lambda store: again(store, id, by))
        wide().print(_done("is taken again by its consumer, within seconds if it runs", held))
        return

    async def every(store: Any) -> tuple[int, int]:
        there = await listed(store, all_of)
        # A record that is no event has no subject, and an intruder no place of its own: neither can be redriven.
        able = [each["_id"] for each in there if "subject_key" in each and not each["intruder"]]
        for each in able:
            await again(store, each, by)
        return len(able), len(there) - len(able)

    done, left = _on(service, data, every)
    rest = f" {left} can only be dismissed." if left else ""
    wide().print(f"{done} are taken again by {all_of}, within seconds if it runs.{rest}")


@app.command()
def dismiss(
    service: Service,
    id: Id,
    reason: Annotated[str, typer.Option(help="The reason; stored with the decision.")],
    # No default, in contrast to a redrive: a person has to answer for what is given up.
    by: By,
    data: Data = HERE,
) -> None:
    """Dismiss a dead letter for good: it has no effect, now and in every rebuild, and the events that wait behind it follow."""
    from services.events.inbox.dead_letters import dismiss as dismiss_one

    # A dismissal is final and binds every rebuild, so it is kept with a reason and a person.
    if not reason.strip() or not by.strip():
        raise typer.BadParameter("--reason and --by must say something")
    held = _on(service, data, lambda store: dismiss_one(store, id, by, reason))
    wide().print(_done("is dismissed; what waits behind it follows", held))


def _done(what: str, held: bool) -> str:
    return f"It {what}." + (
        " Another dead letter of its subject still holds them back: see `ama dead list`." if held else ""
    )


def _on(service: str, data: Path, work: Callable[[Any], Awaitable[T]]) -> T:
    """Do the work on the service's database. A refusal is printed as one sentence, with exit status 1."""
    from services.cli.where import settings
    from services.contracts.topics import SERVICES
    from services.kernel import Refused
    from services.settings import Misconfigured
    from services.store.mongo import PyMongoError, Store

    if service not in SERVICES:
        raise Misconfigured(f"There is no service {service}; there are {', '.join(SERVICES)}.")
    given = settings(data)

    async def run() -> T:
        store = Store(given.mongo, given.database_of(service))
        try:
            return await work(store)
        finally:
            await store.close()

    try:
        return asyncio.run(run())
    except Refused as refused:
        Terminal(stderr=True).print(f"Refused: {refused.detail}", soft_wrap=True)
        raise typer.Exit(1) from refused
    except PyMongoError as error:
        raise Misconfigured(_why_not(error, given, service)) from error


def _why_not(error: Exception, given: Any, service: str) -> str:
    """One sentence for the caller. In a service's own container, its user may read no other service's database."""
    from services.store.errors import may_not

    if not may_not(error):
        return f"MongoDB does not answer: {type(error).__name__}."
    own = given.mongo_user.removeprefix(f"{given.database}_")
    return (
        f"{given.mongo_user} may not read {given.database_of(service)}: name its own service here (`ama dead list {own}`), and ask for the "
        f"others' in theirs (with Docker: `docker compose exec {service} ama dead list {service}`)."
    )


def _plain(dead: dict[str, Any]) -> dict[str, Any]:
    """A dead letter with plain names, times in ISO 8601 and the record as text."""
    names = {"_id": "id", "consumer": "consumer", "sequence": "sequence", "value": "record", "subject_key": "inbox"}
    plain = {names.get(name, name): value for name, value in dead.items() if name != "name"}
    plain["history"] = [{name: _time(value) for name, value in each.items()} for each in dead["history"]]
    for name in ("record", "key"):
        if isinstance(plain.get(name), bytes):
            # Any bytes may be on the bus, also what is not UTF-8.
            plain[name] = plain[name].decode(errors="replace")
    return {name: _time(value) for name, value in plain.items()}


def _time(value: Any) -> Any:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value


def _pretty(record: str | None) -> str:
    try:
        return json.dumps(json.loads(record or ""), indent=2, ensure_ascii=False)
    except ValueError:
        # Often a dead letter is no JSON, and it has to be seen all the same.
        return repr(record)


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=None)
    for name in ("service", "id"):
        # The id is copied into the next command, so it must not be cut or wrapped.
        table.add_column(name, no_wrap=True)
    for name in ("when", "consumer", "type", "subject", "status", "why"):
        table.add_column(name, overflow="fold")
    for each in rows:
        kind, subject = each.get("type", "-").removeprefix("it.amalavoro."), each.get("subject", "-")
        cells = (
            each["service"],
            each["_id"],
            _time(each["at"]),
            each["consumer"],
            kind,
            subject,
            each["status"],
            each["why"],
        )
        table.add_row(*cells)
    return table
