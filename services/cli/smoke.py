"""`ama smoke`: an end-to-end test of a running deployment, through its public address."""

import asyncio
import time
from pathlib import Path
from typing import Annotated

import typer

from services.cli.terminal import Terminal

Data = Annotated[Path, typer.Option("--data", help="Folder of the running `ama up`.", envvar="AMA_DATA")]
FOREIGN = "A token for the programme `smoke`, where the issuer is not the embedded one."
HERE = Path(".ama")


def smoke(
    data: Data = HERE,
    operator: Annotated[str | None, typer.Option("--operator-token", help=FOREIGN, envvar="AMA_OPERATOR_TOKEN")] = None,
    administrator: Annotated[
        str | None, typer.Option("--administrator-token", help=FOREIGN, envvar="AMA_ADMINISTRATOR_TOKEN")
    ] = None,
) -> None:
    """Test the running services: three invented people go from referral to a meeting and a survey, and are erased again.

    They are in a programme of their own, `smoke`. The test calls the services of DATA, or else those at AMA_PUBLIC_URL. It uses tokens of
    the embedded issuer (AMA_ISSUER, its key in AMA_KEYS), or the given ones. Exit status 1 when a step fails.
    """
    import httpx

    from services import programmes
    from services.cli.where import front
    from services.scenarios.client import ScenarioClient, ScenarioFailed
    from services.scenarios.smoke import PROGRAMME, new_seed
    from services.scenarios.smoke import smoke as run_smoke

    base, issuer = front(data, need_issuer=not (operator and administrator))

    def token(role: str, subject: str, partner: str | None) -> str:
        if issuer is not None:
            return issuer.token(role, PROGRAMME, subject, partner)
        return str(administrator if role == "administrator" else operator)

    console, began = Terminal(), time.monotonic()

    def report(step: str) -> None:
        console.print(f"{time.monotonic() - began:6.1f} s  {step}")

    async def run() -> None:
        async with ScenarioClient(base, token, programmes.load_all()[PROGRAMME], new_seed(), lambda *_: None) as client:
            await run_smoke(client, report)

    try:
        asyncio.run(run())
    except (ScenarioFailed, httpx.HTTPError) as error:
        Terminal(stderr=True).print(f"It does not work: {str(error) or type(error).__name__}", soft_wrap=True)
        raise typer.Exit(1) from error
    console.print(f"It works, at {base}.")
