"""`ama token`: a token of the embedded issuer, for trying things and for scripts."""

import re
from pathlib import Path
from typing import Annotated

import typer

from services.cli.terminal import say

HERE = Path(".ama")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def token(
    role: Annotated[
        str,
        typer.Option(
            help="worker, referrer, operator, facilitator, coordinator, partner-system, administrator or system-operator"
        ),
    ],
    programme: Annotated[str, typer.Option(help="The programme, such as jobs2 or monza-brianza.")],
    subject: Annotated[str | None, typer.Option(help="The subject; for a worker or facilitator, their id.")] = None,
    partner: Annotated[str | None, typer.Option(help="The partner of a referrer or partner-system.")] = None,
    lifetime: Annotated[str, typer.Option(help="Lifetime, a day at most: 90s, 15m, 8h.")] = "8h",
    data: Annotated[Path, typer.Option("--data", help="Folder of the running `ama up`.", envvar="AMA_DATA")] = HERE,
) -> None:
    """Print a token for a role: `curl -H "Authorization: Bearer $(ama token --role operator --programme jobs2)" …`.

    Works for the services of this folder, or where AMA_KEYS holds the key of the embedded issuer. Another issuer makes its own tokens.
    """
    from services.cli.where import front
    from services.identity.auth import OF_A_PARTNER, Role
    from services.settings import Misconfigured

    if role in OF_A_PARTNER and not partner:
        raise Misconfigured(f"A {role} belongs to a partner: name it with --partner.")
    # Rules decide by this id what is the caller's own; a name made up here would be nobody's.
    if role in {Role.WORKER, Role.FACILITATOR} and not subject:
        raise Misconfigured(f"Name the {role} with --subject, by id.")
    seconds = _seconds(lifetime)
    _base, issuer = front(data)
    assert issuer is not None
    say(issuer.token(role, programme, subject or role, partner, seconds))


def _seconds(lifetime: str) -> float:
    """Seconds of `90s`, `15m`, `8h`, `1d`. Misconfigured for anything else."""
    from services.settings import Misconfigured

    match = re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", lifetime.strip())
    if match is None:
        raise Misconfigured(f"--lifetime {lifetime} is not a time such as 90s, 15m, 8h or 1d.")
    return float(int(match[1]) * _UNITS[match[2]])
