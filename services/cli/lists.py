"""`ama import`: a list of people is judged, and taken only when that is asked for.

Invariant: a file that is too large is refused before it is read, and without `--apply` nothing changes.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.person import HERE, Data, answered, client_of
from services.cli.terminal import Terminal, refuse, say

LARGEST = 900 * 1024  # bytes, as the service takes them
SHOWN = 50  # mistakes that are listed


def take(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, XLSX or ODS, with headings.")],
    partner: Annotated[str, typer.Option(help="The partner that refers these people.")],
    programme: Annotated[str, typer.Option(help="The programme.")],
    apply: Annotated[
        bool, typer.Option("--apply", help="Take the list. Without it, only say what would happen.")
    ] = False,
    only_good: Annotated[
        bool,
        typer.Option("--only-good", help="Leave out rows with a mistake. Otherwise one mistake stops the whole list."),
    ] = False,
    data: Data = HERE,
    token: Annotated[
        str | None, typer.Option(help="An operator's token; by default one of the embedded issuer.", envvar="AMA_TOKEN")
    ] = None,
) -> None:
    """Refer the people of a list. The same list can be sent again: nobody is taken twice, and corrected rows correct."""
    if file.stat().st_size > LARGEST:
        refuse(f"{file} has more than {LARGEST // 1024} kB: send it in parts.")
    terminal = Terminal(stderr=True)
    with client_of(programme, data, token, role="operator") as client, terminal.status("The list is read …"):
        asked = {"partner": partner, "apply": str(apply).lower(), "only_good": str(only_good).lower()}
        answer = answered(
            client,
            "POST",
            "/enrolment/lists",
            200,
            params=asked,
            files={"file": (file.name, file.read_bytes())},
            timeout=120,
        )
    _tell(answer.json())


def _tell(report: dict[str, Any]) -> None:
    wrong = len({each["row"] for each in report["mistakes"]})
    said = [f"{count} {outcome}" for outcome, count in report["counts"].items() if count]
    said += [f"{len(report['repeated'])} repeated"] * bool(report["repeated"]) + [f"{wrong} with a mistake"] * bool(
        wrong
    )
    Terminal().print(f"{'Taken' if report['taken'] else 'Would be taken'}: {', '.join(said) or 'nobody'}.")
    for each in report["mistakes"][:SHOWN]:
        say(f"row {each['row']}, {each['column']}: {each['code']}" + (f" ({each['value']})" if each["value"] else ""))
    if report["mistakes"] and not report["taken"]:
        raise typer.Exit(1)
