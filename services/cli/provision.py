"""`ama secrets` and `ama provision`: the preparation of a deployment before its services start."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.terminal import Terminal, quiet

if TYPE_CHECKING:
    from services.settings import Settings


def secrets(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder; it must exist.")],
    owner: Annotated[int | None, typer.Option(help="User id that will own the files; needs root.")] = None,
) -> None:
    """Make every missing password and key of a deployment, each in a file of mode 600. Existing files stay unchanged.

    The first account is printed once: `ama provision` makes it, and only a hash of its password is kept. Back up DIR/keys apart from the
    databases: without these files no personal data can be read.
    """
    from services.front.accounts import FIRST
    from services.front.passwords import hash_of, new_password
    from services.operations.provision.passwords import FIRST_ACCOUNT, make
    from services.settings import Misconfigured

    # It is not made here: a mistyped path would give a second set of secrets, which opens nothing.
    if not folder.is_dir():
        raise Misconfigured(f"There is no folder {folder}.")
    fresh, password = not (folder / FIRST_ACCOUNT).exists(), new_password()
    make(folder, owner, hash_of(password))
    # The last part alone: in a container the folder has another path than outside.
    Terminal().print(f"Secrets are in {folder.name or folder}/.")
    if fresh:
        Terminal().print(
            f"First account of the site: {FIRST}, with this password, which is shown this once: {password}",
            soft_wrap=True,
        )


def provision(
    passwords: Annotated[
        Path, typer.Option(help="Folder with kafka-SERVICE and mongo-SERVICE, as `ama secrets` makes it.")
    ],
) -> None:
    """Make the replica set, topics, indexes and the first account, and for each service a Kafka user and a MongoDB user with exactly its
    rights.

    AMA_KAFKA and AMA_MONGO name the engines; AMA_SASL_*, AMA_MONGO_USERNAME and AMA_MONGO_PASSWORD name their administrators. Users are
    made on engines that require login. Run again, it keeps what exists and corrects passwords and rights.
    """
    from services.engines import Engines, Sasl
    from services.operations.provision import kafka, mongo
    from services.operations.provision.passwords import FIRST_ACCOUNT, read
    from services.runtime import login_errors
    from services.settings import from_environment, text_of

    quiet()
    given, console, first = from_environment(), Terminal(), passwords / FIRST_ACCOUNT
    hashed = text_of(first).strip() if first.exists() else ""

    async def run() -> None:
        async with login_errors.explained(given, login_errors.ADMINISTRATOR):
            # First, since users and indexes are writes, and without the set there is no primary.
            await mongo.found_set(given)
            # Without an administrator's login the engine asks for none, and users would protect nothing.
            if given.mongo_username:
                await mongo.make_users(given, read(passwords, "mongo"))
                console.print("MongoDB: each service has a user.")
            await kafka.make_topics(given)
            if given.sasl_username:
                sasl = Sasl(given.sasl_username, given.sasl_password or "", given.sasl_mechanism, given.kafka_tls)
                await kafka.make_users(
                    Engines(given.kafka, given.mongo, sasl), read(passwords, "kafka"), given.database
                )
                console.print("Kafka: each service has a user, and its rights.")
            await mongo.make_indexes(given)
            console.print("Topics, collections and indexes are there.")
            if await _first_account(given, hashed):
                console.print("The first account of the site is there.")

    asyncio.run(run())


async def _first_account(given: "Settings", hashed: str) -> bool:
    """Make the first account of the site, where there is none. Without the hash of a password none is made."""
    from services import programmes
    from services.front.accounts import Accounts
    from services.runtime.service import served
    from services.store.mongo import Store

    if not hashed:
        return False
    store = Store(given.mongo, given.database_of("site"))
    try:
        return await Accounts(store).make_first(list(served(programmes.load_all(given.programmes), given.only)), hashed)
    finally:
        await store.close()
