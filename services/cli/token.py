"""`ama token`: a token of the embedded issuer, for trying things and for scripts."""

from pathlib import Path
from typing import Annotated

import typer

HERE = Path(".ama")


def token(
    role: Annotated[str, typer.Option(help="worker, referrer, operator, facilitator, coordinator, partner-system or administrator")],
    programme: Annotated[str, typer.Option(help="The programme it is for, such as jobs2 or monza-brianza.")],
    subject: Annotated[str | None, typer.Option(help="Who: a worker's or facilitator's id for those roles.")] = None,
    partner: Annotated[str | None, typer.Option(help="Whose referrer or system.")] = None,
    hours: Annotated[float, typer.Option(help="How long it is in force.")] = 8.0,
    data: Annotated[Path, typer.Option("--data", help="Folder of the running `ama up`.", envvar="AMA_DATA")] = HERE,
) -> None:
    """Print a token for a role. Only for what runs here: another deployment has its own issuer."""
    from services.cli.where import running
    from services.issuer import Issuer

    typer.echo(Issuer(data / "keys", f"{running(data).base}/issuer").token(role, programme, subject or role, partner, hours * 3600))
