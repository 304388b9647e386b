"""`ama programmes`: check a programme's file, show what it would change and who is concerned, and publish it.

Invariant: what `plan` shows is computed as enrolment computes it when the file is applied.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import typer

from services.cli.terminal import say

if TYPE_CHECKING:
    from services.programmes import Difference, Programme, ProgrammeFile, Uses

app = typer.Typer(no_args_is_help=True, help="Check, plan or publish a change of a programme's file.")
File = Annotated[Path, typer.Argument(help="The programme's file.", exists=True, dir_okay=False)]
Data = Annotated[
    Path,
    typer.Option("--data", help="Folder of the running `ama up`; otherwise AMA_PUBLIC_URL counts.", envvar="AMA_DATA"),
]
Token = Annotated[
    str | None,
    typer.Option(help="An administrator's token; by default one of the embedded issuer.", envvar="AMA_TOKEN"),
]
HERE = Path(".ama")
LEAVES = ("retired", "renamed")


@app.command()
def check(file: File) -> None:
    """Read the file alone. One sentence says what is wrong, and at which line; one more names each instrument without wording."""
    from services.programmes import read_file

    read = read_file(file).programme
    parts = ("partners", "slots", "municipalities", "surveys")
    counts = ", ".join(f"{len(getattr(read, part))} {part}" for part in parts)
    say(f"{file.name} is a programme: {read.id}, {counts}.")
    for line in _without_wording(read, file.parent):
        say(line)


def _without_wording(programme: "Programme", folder: Path) -> "list[str]":
    """One line for each instrument that the programme asks and that has no wording: nobody is sent its questions."""
    from services.programmes import worded

    instruments = worded(folder)
    asked = dict.fromkeys(each.instrument for each in programme.active.surveys)
    return [
        f"{each} has no wording: nobody is sent its questions. Put them into {folder}/instruments/{each}.it.toml."
        for each in asked
        if not instruments[each].languages
    ]


@app.command()
def plan(file: File, data: Data = HERE, token: Token = None) -> None:
    """Show what the file would change in the running system, and who names what would leave it. Changes nothing."""
    from services.cli.person import client_of
    from services.programmes import read_file

    read = read_file(file)
    with client_of(read.programme.id, data, token) as client:
        _show(_differences(read, client), client)


@app.command()
def apply(
    file: File,
    data: Data = HERE,
    token: Token = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Publish the file in the running system. Every service follows within seconds; what is scheduled or planned stays as it is.

    Put the same file into the folder that AMA_PROGRAMMES names: the next start leaves an older one there alone. A programme
    that is not published yet, and a file for a system that is stopped, is put into the folder alone.
    """
    from services.cli.person import answered, client_of
    from services.programmes import read_file

    read = read_file(file)
    with client_of(read.programme.id, data, token) as client:
        differences = _differences(read, client)
        _show(differences, client)
        if not differences:
            return
        if not yes:
            typer.confirm("Publish this?", abort=True)
        done = answered(client, "PUT", "/enrolment/programme", 200, body={"name": read.name, "text": read.text}).json()
    say(
        f"Version {done['version']} of {read.programme.id} is published. Put the file into the folder of programmes, too."
    )


def _differences(file: "ProgrammeFile", client: httpx.Client) -> "list[Difference]":
    """The differences between the published version and what the file would make of it. Misconfigured when it is refused."""
    from services.cli.person import answered
    from services.programmes import differences, following

    published = _published(file.programme.id, answered(client, "GET", "/enrolment/programme", 200).json())
    used = _uses(client, "enrolment").get("partners", {})
    return differences(published, following(published, file, _today(published), lived_in=bool(used)))


def _published(id: str, answer: dict[str, Any]) -> "Programme":
    from services.programmes import programme_of

    return programme_of(id, answer)


def _today(rules: "Programme") -> Any:
    from datetime import UTC, datetime

    return rules.day_of(datetime.now(UTC))


def _show(differences: "Iterable[Difference]", client: httpx.Client) -> None:
    """Print one line for each difference; below an entry that leaves, who names it in which service."""
    from services.contracts.topics import SERVICES

    found = list(differences)
    uses = {name: _uses(client, name) for name in SERVICES} if any(each.change in LEAVES for each in found) else {}
    for each in found:
        say(" ".join(filter(None, (each.part, each.id, each.change, each.detail))))
        for line in _named(each, uses) if each.change in LEAVES else ():
            say(f"  {line}")
    if not found:
        say("Nothing changes.")


def _named(difference: "Difference", uses: "dict[str, Uses]") -> list[str]:
    named = {name: found.get(difference.part, {}).get(difference.id, {}) for name, found in uses.items()}
    lines = [f"{name}: {', '.join(f'{n} {what}' for what, n in each.items())}" for name, each in named.items() if each]
    return lines or ["nobody names it"]


def _uses(client: httpx.Client, service: str) -> "Uses":
    from services.cli.person import answered

    found: Uses = answered(client, "GET", f"/{service}/programme/uses", 200).json()
    return found
