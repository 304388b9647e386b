"""`ama token`: a token of the embedded issuer, for trying things and for scripts."""

import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.terminal import say

if TYPE_CHECKING:
    from services.identity.issuer import Issuer

OK = 200
ASKED = 5.0  # seconds for enrolment's answer
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
    lifetime: Annotated[str, typer.Option(help="Lifetime: 90s, 15m, 8h; more than a day needs --long.")] = "8h",
    long: Annotated[
        bool, typer.Option("--long", help="Up to seven days, for services whose AMA_TOKEN_HOURS accepts it.")
    ] = False,
    data: Annotated[Path, typer.Option("--data", help="Folder of the running `ama up`.", envvar="AMA_DATA")] = HERE,
) -> None:
    """Print a token for a role: `curl -H "Authorization: Bearer $(ama token --role operator --programme jobs2)" …`.

    Works for the services of this folder, or where AMA_KEYS holds the key of the embedded issuer. Another issuer makes its own tokens.
    """
    from services.cli.where import front
    from services.identity.auth import OF_A_PARTNER, Role
    from services.identity.issuer import LONGEST, LONGEST_ANYWHERE
    from services.settings import Misconfigured

    if role in OF_A_PARTNER and not partner:
        raise Misconfigured(f"A {role} belongs to a partner: name it with --partner.")
    # Rules decide by this id what is the caller's own; a name made up here would be nobody's.
    if role in {Role.WORKER, Role.FACILITATOR} and not subject:
        raise Misconfigured(f"Name the {role} with --subject, by id.")
    seconds = _seconds(lifetime)
    if seconds > LONGEST and not long:
        raise Misconfigured("A token is in force for 24 hours at most; with --long, for 168.")
    base, issuer = front(data)
    assert issuer is not None
    # First, since a role that does not exist is refused here.
    signed = issuer.token(role, programme, subject or role, partner, seconds, LONGEST_ANYWHERE)
    refuse_unknown(programme, partner, _published(base, issuer, programme))
    say(signed)


def refuse_unknown(programme: str, partner: str | None, published: "Mapping[str, Collection[str]]") -> None:
    """Raise Misconfigured for a programme or a partner that is not among the published ones: no service would take the token."""
    from services.settings import Misconfigured

    if programme not in published:
        raise Misconfigured(f"There is no programme {programme}; there are {', '.join(published)}.")
    if partner is not None and partner not in published[programme]:
        raise Misconfigured(
            f"{programme} has no partner {partner}; it has {', '.join(published[programme]) or 'none'}."
        )


def _published(base: str, issuer: "Issuer", programme: str) -> "Mapping[str, Collection[str]]":
    """The partners of each programme, by id: of this programme as enrolment has it, or as the files have it where enrolment cannot be
    asked. In the issuer's own container, the public address leads elsewhere."""
    import httpx

    from services import programmes

    folder = os.environ.get("AMA_PROGRAMMES")
    files = programmes.load_all(Path(folder) if folder else None)
    known = {id: [each.id for each in rules.partners] for id, rules in files.items()}
    try:
        asking = {"Authorization": f"Bearer {issuer.token('administrator', programme, 'ama-cli', lifetime=60)}"}
        answer = httpx.get(f"{base}/enrolment/programme", headers=asking, timeout=ASKED)
        told = answer.json()
    except (httpx.HTTPError, ValueError):
        return known
    if answer.status_code == OK and isinstance(told, dict) and "partners" in told:
        # Retired ones as well: their people go on.
        return {**known, programme: [each["id"] for each in told["partners"]]}
    refused = isinstance(told, dict) and told.get("code") == "no-such-programme"
    return {id: partners for id, partners in known.items() if id != programme} if refused else known


def _seconds(lifetime: str) -> float:
    """Seconds of `90s`, `15m`, `8h`, `1d`. Misconfigured for anything else."""
    from services.settings import Misconfigured

    match = re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", lifetime.strip())
    if match is None:
        raise Misconfigured(f"--lifetime {lifetime} is not a time such as 90s, 15m, 8h or 1d.")
    return float(int(match[1]) * _UNITS[match[2]])
