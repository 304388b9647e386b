"""The `ama` command: starts, inspects and repairs everything.

Imports every package. No package may import it.
Invariant: a command imports the modules that it needs when it runs, so that `ama --help` is quick and no command needs another's modules.
"""

import logging

import typer

from services.cli import (
    accessibility,
    accounts,
    backup,
    contracts,
    dead,
    events,
    formation,
    keys,
    partners,
    person,
    pilot,
    programmes,
    projections,
    provision,
    retention,
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
TRY = "To try it"
OPERATE = "Operators of the system"
PEOPLE = "People's data and programmes"
PARTNERS = "Partners and developers"
app.command("up", rich_help_panel=TRY)(run.up)
app.add_typer(pilot.app, name="pilot", rich_help_panel=TRY)
app.command("token", rich_help_panel=TRY)(token.token)
app.command("smoke", rich_help_panel=TRY)(smoke.smoke)
app.add_typer(formation.app, name="formation", rich_help_panel=TRY)
app.command("serve", rich_help_panel=OPERATE)(run.serve)
app.command("secrets", rich_help_panel=OPERATE)(provision.secrets)
app.command("provision", rich_help_panel=OPERATE)(provision.provision)
app.add_typer(accounts.app, name="accounts", rich_help_panel=OPERATE)
app.add_typer(keys.app, name="keys", rich_help_panel=OPERATE)
app.add_typer(backup.app, name="backup", rich_help_panel=OPERATE)
app.command("restore", rich_help_panel=OPERATE)(backup.restore)
app.add_typer(dead.app, name="dead", rich_help_panel=OPERATE)
app.add_typer(projections.app, name="projections", rich_help_panel=OPERATE)
app.add_typer(events.app, name="events", rich_help_panel=OPERATE)
app.add_typer(accessibility.app, name="accessibility", rich_help_panel=OPERATE)
app.add_typer(person.app, name="person", rich_help_panel=PEOPLE)
app.add_typer(retention.app, name="retention", rich_help_panel=PEOPLE)
app.add_typer(programmes.app, name="programmes", rich_help_panel=PEOPLE)
app.add_typer(partners.app, name="partners", rich_help_panel=PARTNERS)
app.add_typer(contracts.app, name="contracts", rich_help_panel=PARTNERS)


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
