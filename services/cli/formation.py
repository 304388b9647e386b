"""`ama formation`: the formation engine on JSON documents, without a service."""

import typer

from services.cli import example, forming, judging

app = typer.Typer(
    no_args_is_help=True,
    help="Form groups from a problem as JSON; check or explain an answer. `ama formation example` writes a problem to begin with.",
)
app.command()(example.example)
app.command()(forming.solve)
app.command()(judging.check)
app.command()(judging.explain)
