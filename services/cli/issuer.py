"""`ama issuer`: the embedded OIDC issuer as a process of its own."""

import asyncio
import os
from typing import Annotated
from urllib.parse import urlsplit

import typer


def issuer(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
) -> None:
    """Run the embedded issuer: publish the discovery document and the keys of AMA_ISSUER, with the signing key in AMA_KEYS.

    Operators sign in here to the console at AMA_PUBLIC_URL. The password is AMA_CONSOLE_PASSWORD, or ama_console_password in AMA_SECRETS;
    without a password nobody can sign in. Failed sign-ins are counted by the address of the caller: behind a proxy, AMA_PROXIES names the
    networks whose X-Forwarded-For is believed. `ama token` uses the same signing key. Not needed where AMA_ISSUER names another provider.
    """
    import uvloop
    from starlette.applications import Starlette
    from starlette.routing import Mount

    from services import telemetry, web
    from services.cli.run import until_stopped
    from services.cli.where import embedded_issuer, sign_in_of
    from services.runtime import serving

    telemetry.log_as_json()
    ours = embedded_issuer()
    # Under the path of the public address, so that a proxy can pass requests on as they are.
    app = Starlette(routes=[Mount(urlsplit(ours.url).path, ours.app(sign_in_of(ours)))])
    web.install_outside(app)

    async def stay() -> None:
        async with serving.serving(app, serving.listen(port, host), proxies=os.environ.get("AMA_PROXIES") or None):
            await until_stopped([asyncio.Event().wait()])

    uvloop.run(stay())
