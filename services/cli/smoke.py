"""`ama smoke`: whether what runs works from end to end, tried through its public front."""

import asyncio
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

Data = Annotated[Path, typer.Option("--data", help="Folder of the running `ama up`.", envvar="AMA_DATA")]
FOREIGN = "Of an issuer that is not ours: such a token for the programme `smoke`."
HERE = Path(".ama")


def smoke(
    data: Data = HERE,
    operator: Annotated[str | None, typer.Option("--operator-token", help=FOREIGN, envvar="AMA_OPERATOR_TOKEN")] = None,
    administrator: Annotated[
        str | None, typer.Option("--administrator-token", help=FOREIGN, envvar="AMA_ADMINISTRATOR_TOKEN")
    ] = None,
) -> None:
    """Lead three invented people from referral to a meeting, a survey and their partner's feed, and erase them again.

    They are in a programme of their own, `smoke`. What runs in DATA is tried, else what AMA_PUBLIC_URL names, with tokens of the embedded
    issuer (AMA_ISSUER, its key in AMA_KEYS) or with those that are given. Exit code 1 when something does not work.
    """
    import httpx

    from services import programmes
    from services.cli.where import front
    from services.scenarios.pilot.play import Stage, Stuck
    from services.scenarios.smoke import PROGRAMME, run_of_its_own
    from services.scenarios.smoke import smoke as try_it

    base, issuer = front(data, need_issuer=not (operator and administrator))

    def token(role: str, subject: str, partner: str | None) -> str:
        if issuer is not None:
            return issuer.token(role, PROGRAMME, subject, partner)
        return str(administrator if role == "administrator" else operator)

    console, began = Console(), time.monotonic()

    def tell(step: str) -> None:
        console.print(f"{time.monotonic() - began:6.1f} s  {step}", highlight=False)

    async def run() -> None:
        stage = Stage(base, token, programmes.load_all()[PROGRAMME], run_of_its_own(), lambda *_: None)
        async with stage:
            await try_it(stage, tell)

    try:
        asyncio.run(run())
    except (Stuck, httpx.HTTPError) as error:
        Console(stderr=True).print(
            f"It does not work: {str(error) or type(error).__name__}", markup=False, soft_wrap=True
        )
        raise typer.Exit(1) from error
    console.print(f"It works, at {base}.", highlight=False)
