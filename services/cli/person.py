"""`ama person`: the rights of a person over their data.

Invariant: address and token are known before the operator is asked to confirm; only a success of enrolment itself counts as done.
"""

from pathlib import Path
from typing import Annotated

import httpx
import typer

from services.cli.terminal import Terminal, wide

app = typer.Typer(no_args_is_help=True, help="Erase a person, or list the reads of their data.")
Data = Annotated[
    Path,
    typer.Option("--data", help="Folder of the running `ama up`; otherwise AMA_PUBLIC_URL counts.", envvar="AMA_DATA"),
]
Token = Annotated[
    str | None,
    typer.Option(help="An administrator's token; by default one of the embedded issuer.", envvar="AMA_TOKEN"),
]
Programme = Annotated[str, typer.Option(help="The person's programme.")]
Id = Annotated[str, typer.Argument(help="The person's id.")]
HERE = Path(".ama")


@app.command()
def erase(
    person: Id,
    programme: Programme,
    data: Data = HERE,
    token: Token = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Destroy a person's key, so that their data can be read nowhere any more. This cannot be undone."""
    with client_of(programme, data, token) as client:
        # Address and token are known by now: nobody confirms what then cannot be done.
        if not yes:
            typer.confirm(f"Erase {person} for ever?", abort=True)
        answered(client, "DELETE", f"/enrolment/workers/{person}", 204)
    Terminal().print(f"{person} is erased. Services follow within seconds, compacted topics within the hour.")


@app.command()
def accesses(person: Id, programme: Programme, data: Data = HERE, token: Token = None) -> None:
    """List the reads of a person's data, oldest first."""
    with client_of(programme, data, token) as client:
        found = answered(client, "GET", f"/enrolment/workers/{person}/accesses", 200).json()
    terminal = wide()
    for each in found:
        terminal.print(f"{each['at']}  {each['role']}  {each['who']}  {each['what']}", soft_wrap=True)


def client_of(programme: str, data: Path, token: str | None) -> httpx.Client:
    """An HTTP client with an administrator's token. Misconfigured when address or token are not known."""
    from services.cli.where import front

    base, issuer = front(data, need_issuer=not token)
    bearer = token if issuer is None or token else issuer.token("administrator", programme, "ama-cli")
    return httpx.Client(base_url=base, headers={"Authorization": f"Bearer {bearer}"}, timeout=30)


def answered(
    client: httpx.Client, method: str, path: str, expected: int, body: dict[str, str] | None = None
) -> httpx.Response:
    """The answer with the expected status. With another one, the command prints its reason and ends with exit status 1."""
    from services.settings import Misconfigured

    try:
        answer = client.request(method, path, json=body)
    except httpx.HTTPError as error:
        raise Misconfigured(f"{client.base_url} does not answer ({type(error).__name__}): nothing was done.") from error
    # A proxy may answer 200 with a page of its own, or redirect: then nobody was erased.
    if answer.status_code == expected:
        return answer
    # A proxy's answer is no problem document.
    problem = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    why = problem.get("detail", answer.reason_phrase)
    Terminal(stderr=True).print(f"Refused ({answer.status_code}) at {answer.url}: {why}", soft_wrap=True)
    raise typer.Exit(1)
