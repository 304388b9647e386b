"""`ama formation`: the engine on documents, without a service."""

import typer

from services.cli import forming, judging

app = typer.Typer(
    no_args_is_help=True, help="Form groups from a problem as JSON, judge an answer, and tell why it is so."
)
app.command()(forming.solve)
app.command()(judging.check)
app.command()(judging.explain)
