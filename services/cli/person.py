"""`ama person`: what the law lets a person ask for."""

from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console

app = typer.Typer(no_args_is_help=True, help="Erase a person; see who saw their data.")
Data = Annotated[Path, typer.Option("--data", help="Folder of the running `ama up`.", envvar="AMA_DATA")]
Token = Annotated[
    str | None,
    typer.Option(help="An administrator's token; without it, one of the folder's own issuer.", envvar="AMA_TOKEN"),
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
    if not yes:
        typer.confirm(f"Erase {person} for ever?", abort=True)
    answer = _call("DELETE", f"/enrolment/workers/{person}", programme, data, token)
    if answer.status_code == 204:
        Console().print(f"{person} is erased. Services follow within seconds, compacted topics within the hour.")
        return
    _refuse(answer)


@app.command()
def accesses(person: Id, programme: Programme, data: Data = HERE, token: Token = None) -> None:
    """Who looked at a person's data, oldest first."""
    answer = _call("GET", f"/enrolment/workers/{person}/accesses", programme, data, token)
    if answer.status_code != 200:
        _refuse(answer)
    for each in answer.json():
        Console().print(f"{each['at']}  {each['role']}  {each['who']}  {each['what']}")


def _call(method: str, path: str, programme: str, data: Path, token: str | None) -> httpx.Response:
    from services.cli.where import running
    from services.issuer import Issuer

    here = running(data)
    bearer = token or Issuer(data / "keys", f"{here.base}/issuer").token("administrator", programme, "ama-cli")
    return httpx.request(method, here.base + path, headers={"Authorization": f"Bearer {bearer}"}, timeout=30)


def _refuse(answer: httpx.Response) -> None:
    told = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    Console(stderr=True).print(f"Refused ({answer.status_code}): {told.get('detail', answer.reason_phrase)}")
    raise typer.Exit(1)
