"""`ama secrets` and `ama provision`: the preparation of a deployment before its services start."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from services.cli.terminal import Terminal, quiet


def secrets(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder; it must exist.")],
    owner: Annotated[int | None, typer.Option(help="User id that will own the files; needs root.")] = None,
) -> None:
    """Make every missing password and key of a deployment, each in a file of mode 600. Existing files stay unchanged.

    Back up DIR/keys apart from the databases: without these files no personal data can be read.
    """
    from services.operations.provision.passwords import make
    from services.settings import Misconfigured

    # It is not made here: a mistyped path would give a second set of secrets, which opens nothing.
    if not folder.is_dir():
        raise Misconfigured(f"There is no folder {folder}.")
    make(folder, owner)
    # The last part alone: in a container the folder has another path than outside.
    Terminal().print(f"Secrets are in {folder.name or folder}/.")


def provision(
    passwords: Annotated[
        Path, typer.Option(help="Folder with kafka-SERVICE and mongo-SERVICE, as `ama secrets` makes it.")
    ],
) -> None:
    """Make the replica set, topics and indexes, and for each service a Kafka user and a MongoDB user with exactly its rights.

    AMA_KAFKA and AMA_MONGO name the engines; AMA_SASL_*, AMA_MONGO_USERNAME and AMA_MONGO_PASSWORD name their administrators. Users are
    made on engines that require login. Run again, it keeps what exists and corrects passwords and rights.
    """
    from services.engines import Engines, Sasl
    from services.operations.provision import kafka, mongo
    from services.operations.provision.passwords import read
    from services.runtime import login_errors
    from services.settings import from_environment

    quiet()
    given, console = from_environment(), Terminal()

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

    asyncio.run(run())
