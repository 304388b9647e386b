"""`ama partners`: a Kafka user for each partner, with the right to read the partner's feed and no other right.

Invariant: a password is printed once, when it is made; only Kafka keeps it, as a salted hash.
"""

import asyncio
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.terminal import say

if TYPE_CHECKING:
    from services.engines import Engines

app = typer.Typer(no_args_is_help=True, help="Make or remove a partner's Kafka user.")
Data = Annotated[Path, typer.Option("--data", help="Folder of the running `ama up --secure`.", envvar="AMA_DATA")]
Partner = Annotated[str, typer.Argument(help="The partner's id in its programme's file, such as cgil.")]
HERE = Path(".ama")


@app.command()
def user(partner: Partner, data: Data = HERE) -> None:
    """Make the partner's Kafka user, or give it a new password. Prints the settings, which cannot be shown again.

    The user may read the topic ama.feed.PARTNER and use consumer groups whose names begin with "PARTNER.". Without a running
    `ama up --secure`, AMA_KAFKA and AMA_SASL_* name the cluster and its administrator.
    """
    from services.operations.provision.kafka_users import add_user, allow
    from services.operations.provision.rights import Operation

    # Checked before the user is made: without an agreement there is no feed that it could read.
    engines, topic, password = _cluster(data, partner), _feed(partner, data), secrets.token_urlsafe(32)

    async def make() -> None:
        await add_user(engines, partner, password)
        await allow(engines, partner, [Operation.READ], topic=topic)
        # the dot, because one partner's id may begin with another's
        await allow(engines, partner, [Operation.READ], group=f"{partner}.", prefixed=True)

    asyncio.run(make())
    assert engines.sasl is not None
    # Printed once, as lines of an environment file: Kafka keeps a salted hash of the password alone.
    say(f"AMA_FEED_KAFKA={engines.kafka}")
    say(f"AMA_FEED_TLS={'yes' if engines.sasl.tls else 'no'}")
    say(f"AMA_FEED_TOPIC={topic}")
    say(f"AMA_FEED_USER={partner}")
    say(f"AMA_FEED_PASSWORD={password}")
    say("AMA_FEED_MECHANISM=SCRAM-SHA-512")


@app.command()
def remove(partner: Partner, data: Data = HERE) -> None:
    """Remove the partner's Kafka user and its rights. The feed stays. An open connection ends at its next login."""
    from services.operations.provision.kafka_users import remove_user

    asyncio.run(remove_user(_cluster(data, partner), partner))
    say(f"{partner} has no user any more.")


def _cluster(data: Path, partner: str) -> "Engines":
    from services.cli.where import settings
    from services.engines import Engines, Sasl
    from services.settings import Misconfigured

    given = settings(data)
    if not given.sasl_username:
        raise Misconfigured(
            "This Kafka has no users: start it with `ama up --secure`, or set AMA_SASL_USERNAME and AMA_SASL_PASSWORD."
        )
    # It would give the administrator a new password, and `remove` would lock everybody out.
    if partner == given.sasl_username:
        raise Misconfigured(f"{partner} is the administrator of this Kafka: a partner needs another id.")
    sasl = Sasl(given.sasl_username, given.sasl_password or "", given.sasl_mechanism, given.kafka_tls)
    return Engines(given.kafka, given.mongo, sasl)


def _feed(partner: str, data: Path) -> str:
    """The partner's topic. Misconfigured when no agreement gives it one."""
    from services import programmes
    from services.cli.where import settings
    from services.settings import Misconfigured

    known = {
        each.id: each for rules in programmes.load_all(settings(data).programmes).values() for each in rules.partners
    }
    if partner not in known:
        raise Misconfigured(f"No programme has a partner {partner}.")
    if not known[partner].feed:
        raise Misconfigured(f"{partner} has no feed: its agreement is `feed` of the partner in the programme's file.")
    return f"ama.feed.{partner}"
