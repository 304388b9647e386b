"""`ama person`: the rights of a person over their data.

Invariants: address and token are known before the operator is asked to confirm. An erasure is done when every service has said that
nothing of the person is left in it. What is printed claims no more than is known.
"""

import io
import json
import os
import time
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from services.cli.terminal import Terminal, refuse, say, wide

app = typer.Typer(
    no_args_is_help=True,
    help="Export what is held of a person, erase them, list the reads of their data, or list who has no profile.",
)
Data = Annotated[
    Path,
    typer.Option("--data", help="Folder of the running `ama up`; otherwise AMA_PUBLIC_URL counts.", envvar="AMA_DATA"),
]
Token = Annotated[
    str | None,
    typer.Option(help="An administrator's token; by default one of the embedded issuer.", envvar="AMA_TOKEN"),
]
OperatorToken = Annotated[
    str | None, typer.Option(help="An operator's token; by default one of the embedded issuer.", envvar="AMA_TOKEN")
]
Programme = Annotated[str, typer.Option(help="The person's programme.")]
Id = Annotated[str, typer.Argument(help="The person's id.")]
HERE = Path(".ama")
POLL = 0.5  # seconds between questions to a service that is not done
OK, NOT_FOUND = 200, 404
GONE = 410  # the answer of enrolment for a person who was erased before
ASKED = 5.0  # seconds for the answer to one question


@app.command()
def erase(
    person: Id,
    programme: Programme,
    data: Data = HERE,
    token: Token = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    wait: Annotated[float, typer.Option(min=0, help="Seconds in which every service has to confirm.")] = 120.0,
) -> None:
    """Erase a person everywhere: destroy their key, and wait until every service has confirmed that nothing is left. This cannot be
    undone. Run it again to ask for the confirmations of an earlier erasure."""
    with client_of(programme, data, token) as client:
        # Address and token are known by now: nobody confirms what then cannot be done.
        if not yes:
            typer.confirm(f"Erase {person} for ever?", abort=True)
        # 410: erased before, perhaps by a run that did not hear of it.
        answered(client, "DELETE", f"/enrolment/workers/{person}", 204, 410)
        _confirmed(client, person, wait)
        receipt = answered(client, "GET", f"/enrolment/workers/{person}/receipt", OK, NOT_FOUND)
    terminal = Terminal()
    terminal.print(f"{person} is erased: every service has confirmed it. Compacted topics follow within the hour.")
    if receipt.status_code == OK:  # an erasure of before receipts were given has none
        for line in _receipt(receipt.json()):
            terminal.print(line, soft_wrap=True)


def _receipt(receipt: dict[str, str]) -> tuple[str, ...]:
    """The receipt as it can be given to the person."""
    return (
        f"Receipt {receipt['number']} of {receipt['erased'][:16].replace('T', ' ')} UTC.",
        "Destroyed: the person's key, identity, contacts, profile, consents, seats, marks, answers, messages, log of accesses.",
        "Kept: the id in the register of the erased, so that no backup brings the person back, and counts that name nobody.",
        "A partner keeps what it was told under its own pseudonym, and is told of the erasure.",
    )


def _confirmed(client: httpx.Client, person: str, wait: float) -> None:
    """Wait until each service has confirmed. Otherwise name those that have not, and end with exit status 1."""
    from rich.progress import Progress

    from services.contracts.topics import SERVICES

    missing, deadline = dict.fromkeys(SERVICES, "has not answered"), time.monotonic() + wait
    with Progress(console=Terminal(stderr=True), transient=True) as progress:
        task = progress.add_task("services that have confirmed", total=len(SERVICES))
        while True:
            for service in list(missing):
                if (why := _left(client, service, person)) is None:
                    del missing[service]
                    progress.advance(task)
                else:
                    missing[service] = why
            if not missing or time.monotonic() > deadline:
                break
            time.sleep(POLL)
    if missing:
        said = "; ".join(f"{service}: {why}" for service, why in missing.items())
        text = f"{person} is erased in enrolment. Not confirmed within {wait:g} s by {said}. Run the command again to ask again."
        Terminal(stderr=True).print(text, soft_wrap=True)
        raise typer.Exit(1)


def _left(client: httpx.Client, service: str, person: str) -> str | None:
    """The reason why a service has not confirmed; None when it has."""
    try:
        answer = client.get(f"/{service}/erasures/{person}", timeout=ASKED)
    except httpx.HTTPError as error:
        return f"does not answer ({type(error).__name__})"
    if answer.status_code != 200:  # OK
        return f"answered {answer.status_code}"
    state: dict[str, Any] = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    if state.get("complete") is True:
        return None
    left = ", ".join(f"{number} in {name}" for name, number in state.get("left", {}).items())
    if not state.get("registered"):
        return "has not heard of it"
    return f"still has {left}" if left else "its rooms are not done: see `ama dead list`"


@app.command()
def export(
    person: Id,
    programme: Programme,
    out: Annotated[Path, typer.Option("--out", help="The archive to write; it must not exist.")],
    data: Data = HERE,
    token: Token = None,
) -> None:
    """Write everything that every service holds of a person to one archive: a page to read, JSON, and the reads of their data. The person
    sees in their log that it was made."""
    if out.exists():
        refuse(f"{out} exists already.")
    with client_of(programme, data, token) as client:
        answer = answered(client, "GET", f"/enrolment/people/{person}/export", OK)
    # For its owner alone, from the first byte on.
    with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(answer.content)
    missing = _missing(answer.content)
    if missing:
        Terminal(stderr=True).print(
            f"Not everything is in {out}: no answer in time from {', '.join(missing)}.", soft_wrap=True
        )
        raise typer.Exit(1)
    Terminal().print(
        f"Everything that is held of {person} is in {out}. Whoever opens it reads the person's data.", soft_wrap=True
    )


def _missing(archive: bytes) -> list[str]:
    """The services that the archive says did not answer."""
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        name = next(each for each in packed.namelist() if each.endswith(".json"))
        return list(json.loads(packed.read(name))["missing"])


@app.command()
def accesses(person: Id, programme: Programme, data: Data = HERE, token: Token = None) -> None:
    """List the reads of a person's data, oldest first. Every service keeps a log of its own, and each is asked."""
    from services.contracts.topics import SERVICES

    with client_of(programme, data, token) as client:
        found = {
            service: answered(client, "GET", f"/{service}/workers/{person}/accesses", OK, NOT_FOUND)
            for service in SERVICES
        }
    # A service that was never told of the person has no log of theirs; enrolment knows everybody.
    if found["enrolment"].status_code == NOT_FOUND:
        refuse(f"There is no worker {person} in {programme}.")
    reads = [
        (each["at"], service, each["role"], each["who"], each["what"])
        for service, answer in found.items()
        if answer.status_code == OK
        for each in answer.json()
    ]
    terminal = wide()
    for read in sorted(reads, key=lambda each: datetime.fromisoformat(each[0])):
        terminal.print("  ".join(read), soft_wrap=True)
    if not reads:
        terminal.print("Nobody has read their data.")


@app.command("without-profile")
def without_profile(programme: Programme, data: Data = HERE, token: OperatorToken = None) -> None:
    """List the people who were admitted and have no profile, with the partner to ask. Groups are proposed without them."""
    found: list[dict[str, Any]] = []
    with client_of(programme, data, token, "operator") as client:
        page = [{"worker": ""}]
        while page:
            after = f"&after={page[-1]['worker']}" if found else ""
            page = answered(client, "GET", f"/enrolment/workers?without_profile=true{after}", OK).json()
            found += page
    for each in found:
        say(f"{each['worker']}  referred by {each['partner']}, admitted {each['admitted'][:10]}")
    if not found:
        say("Everybody who was admitted has a profile.")


def client_of(programme: str, data: Path, token: str | None, role: str = "administrator") -> httpx.Client:
    """An HTTP client with a token of this role. Misconfigured when address or token are not known."""
    from services.cli.where import front

    base, issuer = front(data, need_issuer=not token)
    bearer = token if issuer is None or token else issuer.token(role, programme, "ama-cli")
    return httpx.Client(base_url=base, headers={"Authorization": f"Bearer {bearer}"}, timeout=30)


def answered(
    client: httpx.Client, method: str, path: str, *expected: int, body: dict[str, str] | None = None
) -> httpx.Response:
    """The answer with an expected status. With another one, the command prints its reason and ends with exit status 1. Misconfigured
    when there is no answer: it says that nothing was done only when the request cannot have arrived."""
    from services.settings import Misconfigured

    try:
        answer = client.request(method, path, json=body)
    except httpx.HTTPError as error:
        # Only without a connection is it certain that nothing arrived.
        unsent = isinstance(
            error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.UnsupportedProtocol
        )
        done = "nothing was done" if unsent else "it may be done or not; run the command again to find out"
        raise Misconfigured(f"{client.base_url} does not answer ({type(error).__name__}): {done}.") from error
    # A proxy may answer 200 with a page of its own, or redirect: then nobody was erased.
    if answer.status_code in expected and (answer.status_code != GONE or _problem(answer).get("code") == "erased"):
        return answer
    why = _problem(answer).get("detail", answer.reason_phrase)
    Terminal(stderr=True).print(f"Refused ({answer.status_code}) at {answer.url}: {why}", soft_wrap=True)
    raise typer.Exit(1)


def _problem(answer: httpx.Response) -> dict[str, Any]:
    """The problem document of a refusal; a proxy's answer has none."""
    return dict(answer.json()) if "json" in answer.headers.get("content-type", "") else {}
