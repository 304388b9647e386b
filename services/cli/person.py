"""`ama person`: what the law lets a person ask for.

Invariant: it is known who is asked, and as whom, before the operator is; and no answer but enrolment's own passes for done.
"""

from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console

app = typer.Typer(no_args_is_help=True, help="Erase a person; see who saw their data.")
Data = Annotated[
    Path, typer.Option("--data", help="Folder of the running `ama up`; else AMA_PUBLIC_URL says.", envvar="AMA_DATA")
]
Token = Annotated[
    str | None,
    typer.Option(help="An administrator's token; without it, one of the embedded issuer.", envvar="AMA_TOKEN"),
]
Programme = Annotated[str, typer.Option(help="The programme the person is in.")]
Id = Annotated[str, typer.Argument(help="The person's id.")]
HERE = Path(".ama")


@app.command()
def erase(
    person: Id,
    programme: Programme,
    data: Data = HERE,
    token: Token = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Destroy a person's key: nothing that was said of them can be read again, anywhere. This cannot be undone."""
    with _door(programme, data, token) as door:
        if not yes:
            typer.confirm(f"Erase {person} for ever?", abort=True)
        _asked(door, "DELETE", f"/enrolment/workers/{person}", 204)
    Console().print(f"{person} is erased. Services follow within seconds, compacted topics within the hour.")


@app.command()
def accesses(person: Id, programme: Programme, data: Data = HERE, token: Token = None) -> None:
    """Who looked at a person's data, oldest first."""
    with _door(programme, data, token) as door:
        seen = _asked(door, "GET", f"/enrolment/workers/{person}/accesses", 200).json()
    for each in seen:
        Console().print(f"{each['at']}  {each['role']}  {each['who']}  {each['what']}")


def _door(programme: str, data: Path, token: str | None) -> httpx.Client:
    """Where enrolment is asked, by an administrator. Misconfigured when that is not known."""
    from services.cli.where import front

    base, issuer = front(data, need_issuer=not token)
    bearer = token if issuer is None or token else issuer.token("administrator", programme, "ama-cli")
    return httpx.Client(base_url=base, headers={"Authorization": f"Bearer {bearer}"}, timeout=30)


def _asked(door: httpx.Client, method: str, path: str, hoped: int) -> httpx.Response:
    """The answer, if it is the one that is hoped for; else the command ends with what it says."""
    from services.settings import Misconfigured

    try:
        answer = door.request(method, path)
    except httpx.HTTPError as error:
        raise Misconfigured(f"{door.base_url} does not answer ({type(error).__name__}): nothing was done.") from error
    if answer.status_code == hoped:
        return answer
    told = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    why = told.get("detail", answer.reason_phrase)
    Console(stderr=True).print(f"Refused ({answer.status_code}) at {answer.url}: {why}", soft_wrap=True, markup=False)
    raise typer.Exit(1)
