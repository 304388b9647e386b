"""`ama accessibility statement`: a draft of the accessibility statement, from what axe found in the last run of the tests.

Invariant: a draft never says more than the tests have seen: whoever signs it completes it, and the site shows it only then.
"""

import json
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.terminal import refuse, say_lines

app = typer.Typer(no_args_is_help=True, help="Draft the accessibility statement of the site.")
FOUND = Path("build/axe")


@app.callback()
def _several() -> None:
    """Keep the name of the command, which typer would drop when there is one alone."""


@app.command()
def statement(
    publisher: Annotated[str, typer.Option(help="The organisation that answers for the site.")],
    found: Annotated[
        Path, typer.Option("--from", help="Folder with the results of axe, which `make test` writes.")
    ] = FOUND,
    contact: Annotated[str | None, typer.Option(help="E-mail address for remarks.", envvar="AMA_CONTACT")] = None,
) -> None:
    """Print a draft as TOML. Complete it, keep it in a file, and name the file in AMA_ACCESSIBILITY."""
    pages = [json.loads(path.read_text()) for path in sorted(found.glob("*.json"))]
    if not pages:
        refuse(f"{found} has no results of axe: run make test first.")
    today = date.fromtimestamp(max(path.stat().st_mtime for path in found.glob("*.json")))  # noqa: DTZ012  # the day here
    say_lines(_draft(publisher, contact, pages, today))


def _draft(publisher: str, contact: str | None, pages: list[dict[str, Any]], day: date) -> str:
    rules: dict[str, set[str]] = {}
    for page in pages:
        for violation in page["violations"]:
            rules.setdefault(f"{violation['help']} ({violation['id']})", set()).add(page["title"])
    lines = [
        f"# {len(pages)} states of pages were judged by axe on {day}. It finds about half of the barriers: try the pages with a keyboard",
        "# and a screen reader as well, then complete this, and name the file in AMA_ACCESSIBILITY.",
        f"publisher = {_quoted(publisher)}",
        # Nobody has tried the pages by hand yet, so the draft claims no full conformance.
        'conformance = "partial"  # full, partial or none',
        f"written = {day}",
        f"reviewed = {day}",
        f"published = {day}",
        'method = "self-assessment"  # or third-party',
        "tested_with_people = false",
        *([f"contact = {_quoted(contact)}"] if contact else []),
        "",
        "[not_accessible]",
        "it = [",
        *(f"  {_quoted(f'{rule}: ' + ', '.join(sorted(where)))}," for rule, where in sorted(rules.items())),
        "]",
        "en = [",
        "]",
    ]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a basic string of TOML is written as one of JSON
