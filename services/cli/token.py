"""`ama token`: a token of the embedded issuer, for trying things and for scripts."""

import re
from pathlib import Path
from typing import Annotated

import typer

HERE = Path(".ama")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def token(
    role: Annotated[
        str, typer.Option(help="worker, referrer, operator, facilitator, coordinator, partner-system or administrator")
    ],
    programme: Annotated[str, typer.Option(help="The programme it is for, such as jobs2 or monza-brianza.")],
    subject: Annotated[str | None, typer.Option(help="Who it is; for a worker or facilitator, their id.")] = None,
    partner: Annotated[str | None, typer.Option(help="For a referrer or partner-system: of which partner.")] = None,
    lifetime: Annotated[str, typer.Option(help="How long it is in force: 90s, 15m, 8h, 30d.")] = "8h",
    data: Annotated[Path, typer.Option("--data", help="Folder of the running `ama up`.", envvar="AMA_DATA")] = HERE,
) -> None:
    """Print a token for a role: `curl -H "Authorization: Bearer $(ama token --role operator --programme jobs2)" …`.

    Only for what runs in this folder, or where AMA_KEYS holds the embedded issuer's key: another deployment has its own issuer.
    """
    from services.cli.where import front
    from services.identity.auth import OF_A_PARTNER, Role
    from services.settings import Misconfigured

    if role in OF_A_PARTNER and not partner:
        raise Misconfigured(f"A {role} is somebody's: name the partner with --partner.")
    if role in {Role.WORKER, Role.FACILITATOR} and not subject:
        raise Misconfigured(f"Name the {role} with --subject, by id.")
    seconds = _seconds(lifetime)
    _base, issuer = front(data)
    assert issuer is not None
    typer.echo(issuer.token(role, programme, subject or role, partner, seconds))


def _seconds(lifetime: str) -> float:
    """Seconds of `90s`, `15m`, `8h`, `30d`. Misconfigured for anything else."""
    from services.settings import Misconfigured

    told = re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", lifetime.strip())
    if told is None:
        raise Misconfigured(f"--lifetime {lifetime} is not a time such as 90s, 15m, 8h or 30d.")
    return float(int(told[1]) * _UNITS[told[2]])
