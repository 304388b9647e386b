"""`ama accounts`: the personal accounts of people who sign in at our own issuer.

Invariant: a password is printed once, when this command has made it, and is kept nowhere. Logs and the database have its hash alone.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from services.cli.terminal import Terminal, quiet, say

if TYPE_CHECKING:
    from services.front.accounts import Account, Accounts

app = typer.Typer(no_args_is_help=True, help="Personal accounts of people who sign in to the site.")
Data = Annotated[Path, typer.Option("--data", help="Folder of the running `ama up`.", envvar="AMA_DATA")]
HERE = Path(".ama")
Login = Annotated[str, typer.Argument(metavar="LOGIN", help="What the person types to sign in, such as anna.bianchi.")]
A_GRANT = "operator:monza-brianza, referrer:monza-brianza:cgil, facilitator:monza-brianza:FACILITATOR-ID"
GrantText = Annotated[
    str, typer.Argument(metavar="GRANT", help=f"role:programme[:partner or facilitator], such as {A_GRANT}")
]
Asked = Annotated[bool, typer.Option("--ask", help="Ask for the password here; else one is made and printed.")]


@app.callback()
def accounts() -> None:
    """Personal accounts of people who sign in to the site. With another provider (AMA_ISSUER) they are not used."""


@app.command()
def add(
    login: Login,
    name: Annotated[str, typer.Option(help="The person's name, as pages show it.")],
    grant: Annotated[
        list[str] | None, typer.Option(help=f"What the person may be; repeat it for several: {A_GRANT}")
    ] = None,
    ask: Asked = False,
    data: Data = HERE,
) -> None:
    """Add an account. Its password is printed this once: give it to the person by another way than the login."""
    from services.front.accounts import login_of
    from services.front.grants import Grant
    from services.front.passwords import hash_of

    login, grants = login_of(login), [Grant.read(each) for each in grant or []]
    password, made = _password(login, ask)

    async def run(those: "Accounts") -> None:
        await those.add(login, name, grants, hash_of(password))

    _run(data, run, [each.programme for each in grants])
    _tell(login, password, made)


@app.command("list")
def listed(data: Data = HERE) -> None:
    """List the accounts, with what each person may be."""

    async def run(those: "Accounts") -> None:
        _show(await those.everybody())

    _run(data, run)


@app.command()
def disable(login: Login, data: Data = HERE) -> None:
    """Disable an account. Whoever is signed in with it is signed out at once."""

    async def run(those: "Accounts") -> None:
        await those.disable(login)

    _run(data, run)
    Terminal().print(f"{login} is disabled, and signed out everywhere.")


@app.command()
def enable(login: Login, data: Data = HERE) -> None:
    """Enable an account again."""

    async def run(those: "Accounts") -> None:
        await those.disable(login, False)

    _run(data, run)
    Terminal().print(f"{login} can sign in again.")


@app.command()
def password(login: Login, ask: Asked = False, data: Data = HERE) -> None:
    """Give an account another password, printed this once. Whoever is signed in with it is signed out at once."""
    from services.front.accounts import login_of
    from services.front.passwords import hash_of

    login = login_of(login)
    chosen, made = _password(login, ask)

    async def run(those: "Accounts") -> None:
        await those.set_password(login, hash_of(chosen))

    _run(data, run)
    _tell(login, chosen, made)


@app.command()
def grant(login: Login, what: GrantText, data: Data = HERE) -> None:
    """Let a person be one more thing. It holds from their next request."""
    from services.front.grants import Grant

    read = Grant.read(what)

    async def run(those: "Accounts") -> None:
        await those.grant(login, read)

    _run(data, run, [read.programme])
    Terminal().print(f"{login} is now {read} as well.")


@app.command()
def revoke(login: Login, what: GrantText, data: Data = HERE) -> None:
    """Take something away that a person may be. It ends at once, also where they are signed in."""
    from services.front.grants import Grant

    read = Grant.read(what)

    async def run(those: "Accounts") -> None:
        await those.revoke(login, read)

    _run(data, run)
    Terminal().print(f"{login} is {read} no more.")


def _run(data: Path, what: "Callable[[Accounts], Awaitable[None]]", programmes_named: list[str] | None = None) -> None:
    """Run something on the accounts of the site of this folder, or of the environment. Misconfigured for a programme that is not here."""
    from services import programmes
    from services.cli.where import site_settings
    from services.front.accounts import Accounts
    from services.settings import Misconfigured
    from services.store.mongo import Store

    quiet()
    settings = site_settings(data)
    known = programmes.load_all(settings.programmes)
    if unknown := [each for each in programmes_named or [] if each not in known]:
        raise Misconfigured(f"There is no programme {unknown[0]}; there are {', '.join(known)}.")

    async def run() -> None:
        store = Store(settings.mongo, settings.database_of("site"))
        try:
            await what(Accounts(store))
        finally:
            await store.close()

    asyncio.run(run())


def _password(login: str, ask: bool) -> tuple[str, bool]:
    """Give a password, and whether it was made here. Misconfigured for one that is guessed first."""
    from services.front import passwords

    if not ask:
        return passwords.new_password(), True
    typed: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    passwords.check(typed, login)
    return typed, False


def _tell(login: str, password: str, made: bool) -> None:
    console = Terminal(stderr=True)
    console.print(
        f"{login} can sign in with this password, which is shown this once:" if made else f"{login} can sign in."
    )
    if made:
        say(password)


def _show(accounts: "list[Account]") -> None:
    table = Table("login", "name", "state")
    # Folded, since half a grant says nothing.
    table.add_column("grants", overflow="fold")
    for each in accounts:
        state = "disabled" if each.disabled else "enabled"
        first, *others = map(str, each.grants) if each.grants else ["none: cannot do anything"]
        table.add_row(each.login, each.name, state, first)
        for other in others:
            table.add_row("", "", "", other)
    Terminal().print(table)
