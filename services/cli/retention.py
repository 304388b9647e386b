"""`ama retention`: erase the people whose data are not needed any more by the months of their programme.

Invariant: whom it concerns is said by code, never by name.
"""

from typing import Annotated

import typer

from services.cli.person import HERE, OK, Data, Programme, Token, answered, client_of
from services.cli.terminal import say

app = typer.Typer(no_args_is_help=True, help="Erase people whose data are not needed any more.")
KINDS = {
    "undecided": "referred, and neither admitted nor declined",
    "declined": "declined",
    "left": "left the programme",
    "ended": "the programme ended",
}


@app.callback()
def retention() -> None:
    """Erase people whose data are not needed any more. A scheduled run does the same every day."""


@app.command()
def run(
    programme: Programme,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    data: Data = HERE,
    token: Token = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Erase everybody whose data were kept for as long as the programme's file says, and report whom, by code. This cannot be undone."""
    with client_of(programme, data, token) as client:
        report = answered(client, "GET", "/enrolment/retention", OK).json()
        for each in report["due"]:
            say(f"{each['code']}  {KINDS[each['limit']]}, kept until {each['until']}  {each['worker']}")
        if dry_run or not report["due"]:
            say(f"{len(report['due'])} would be erased." if report["due"] else "Nobody is due.")
            return
        if not yes:
            typer.confirm(f"Erase {len(report['due'])} people for ever?", abort=True)
        report = answered(client, "POST", "/enrolment/retention", OK).json()
    say(f"{report['erased']} erased, {report['left']} left. The other services follow within minutes.")
    if report["left"]:
        raise typer.Exit(1)
