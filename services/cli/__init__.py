"""The `ama` command: starts, inspects and repairs everything.

Imports every package. No package may import it.
Invariant: a command imports the modules that it needs when it runs, so that `ama --help` is quick and no command needs another's modules.
"""

import logging

import typer

from services.cli import (
    backup,
    contracts,
    dead,
    events,
    formation,
    issuer,
    keys,
    partners,
    person,
    pilot,
    programmes,
    projections,
    provision,
    run,
    smoke,
    token,
)
from services.cli.failures import sentence_of
from services.cli.terminal import refuse

app = typer.Typer(
    name="ama",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="AMA Lavoro: self-help groups for people who lost their work. Start with [b]ama up[/b], or [b]ama pilot jobs2[/b].",
    rich_markup_mode="rich",
)
app.command("up")(run.up)
app.command("serve")(run.serve)
app.command("token")(token.token)
app.command("smoke")(smoke.smoke)
app.command("issuer")(issuer.issuer)
app.command("secrets")(provision.secrets)
app.command("provision")(provision.provision)
app.add_typer(pilot.app, name="pilot")
app.add_typer(partners.app, name="partners")
app.add_typer(person.app, name="person")
app.add_typer(programmes.app, name="programmes")
app.add_typer(projections.app, name="projections")
app.add_typer(events.app, name="events")
app.add_typer(dead.app, name="dead")
app.add_typer(backup.app, name="backup")
app.command("restore")(backup.restore)
app.add_typer(contracts.app, name="contracts")
app.add_typer(keys.app, name="keys")
app.add_typer(formation.app, name="formation")


def main() -> None:
    """Run the command line; what an operator can mend is one sentence, not a trace."""
    logging.getLogger("aiokafka").setLevel(
        logging.CRITICAL
    )  # it logs each attempt to connect; the command says what came of it
    try:
        app()
    except Exception as error:
        if (sentence := sentence_of(error)) is None:
            raise
        refuse(f"ama: {sentence}")
