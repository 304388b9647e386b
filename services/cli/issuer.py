"""`ama issuer`: the embedded OIDC issuer as a process of its own."""

import asyncio
from typing import Annotated
from urllib.parse import urlsplit

import typer


def issuer(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8000,
) -> None:
    """Publish the discovery document and the keys of the issuer that AMA_ISSUER names, its key in AMA_KEYS.

    People sign in there to the console at AMA_PUBLIC_URL with AMA_CONSOLE_PASSWORD (or ama_console_password in AMA_SECRETS); without
    one nobody can. `ama token` signs with that key. Where people sign in elsewhere, AMA_ISSUER names that provider, and this is not needed.
    """
    import uvloop
    from starlette.applications import Starlette
    from starlette.routing import Mount

    from services import telemetry, web
    from services.cli.run import until_told
    from services.cli.where import own_issuer, signing_in
    from services.runtime import serving

    telemetry.log_as_json()
    ours = own_issuer()
    app = Starlette(routes=[Mount(urlsplit(ours.url).path, ours.app(signing_in(ours)))])
    web.install_outside(app)

    async def stay() -> None:
        async with serving.serving(app, serving.listen(port, host)):
            await until_told([asyncio.Event().wait()])

    uvloop.run(stay())
